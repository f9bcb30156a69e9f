"""A stage in a thread of its own: the same items, the same errors, and nothing left running."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from indexer.ahead import ahead, mapped

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture
def pool():
    """Threads, of which none is still at work in the end."""
    with ThreadPoolExecutor(4) as threads:
        yield threads
        # All four can meet only if nothing else runs in any of them.
        meeting = threading.Barrier(5)
        for _ in range(4):
            threads.submit(meeting.wait, 20)
        meeting.wait(20)


def numbers(end: int, made: list[int] | None = None) -> Generator[int, None, None]:
    for number in range(end):
        if made is not None:
            made.append(number)
        yield number


def test_the_items_come_in_their_order(pool) -> None:
    assert list(ahead(numbers(1000), pool, 3)) == list(range(1000))
    assert list(ahead(numbers(0), pool, 1)) == []


def test_no_more_than_asked_for_are_made_early(pool) -> None:
    made: list[int] = []

    def made_in_the_end() -> int:
        count = -1
        while count != len(made):
            count = len(made)
            time.sleep(0.2)
        return count

    with closing(ahead(numbers(100, made), pool, 4)) as items:
        assert next(items) == 0
        assert made_in_the_end() == 1 + 4
        assert next(items) == 1
        assert made_in_the_end() == 2 + 4


def test_they_are_made_in_another_thread_one_at_a_time(pool) -> None:
    def threads() -> Generator[int, None, None]:
        for _ in range(5):
            yield threading.get_ident()

    assert len(set(ahead(threads(), pool, 2))) == 1
    assert threading.get_ident() not in set(ahead(threads(), pool, 2))


def test_an_error_comes_after_the_items_before_it(pool) -> None:
    def broken() -> Generator[int, None, None]:
        yield 1
        raise ValueError("no more")

    items = ahead(broken(), pool, 5)
    assert next(items) == 1
    with pytest.raises(ValueError, match="no more"):
        next(items)


def test_closing_it_closes_the_generator_in_its_own_thread(pool) -> None:
    closed_in: list[int] = []

    def endless() -> Generator[int, None, None]:
        number = 0
        try:
            while True:
                yield number
                number += 1
        finally:
            closed_in.append(threading.get_ident())

    with closing(ahead(endless(), pool, 2)) as items:
        assert next(items) == 0
    assert len(closed_in) == 1
    assert closed_in != [threading.get_ident()]


def test_who_waits_is_called_and_may_give_up(pool) -> None:
    hold = threading.Event()

    def slow() -> Generator[int, None, None]:
        hold.wait(20)
        yield 1

    def give_up() -> None:
        hold.set()
        raise TimeoutError("waited")

    with pytest.raises(TimeoutError, match="waited"):
        list(ahead(slow(), pool, 1, on_wait=give_up))


def test_stages_can_follow_each_other(pool) -> None:
    def doubled(items: Generator[int, None, None]) -> Generator[int, None, None]:
        with closing(items):
            for item in items:
                yield 2 * item

    assert list(ahead(doubled(ahead(numbers(50), pool, 2)), pool, 2)) == list(range(0, 100, 2))
    with closing(ahead(doubled(ahead(numbers(50), pool, 2)), pool, 2)) as items:
        assert next(items) == 0


def test_results_come_in_the_order_of_the_items_whoever_is_done_first(pool) -> None:
    second_is_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_is_done.wait(20)
        if number == 1:
            second_is_done.set()
        return 10 * number

    assert list(mapped(work, numbers(20), pool, 3)) == list(range(0, 200, 10))


def test_no_more_items_are_worked_on_at_once_than_asked_for(pool) -> None:
    made: list[int] = []
    results = mapped(lambda number: number, numbers(100, made), pool, 3)
    with closing(results):
        assert next(results) == 0
        assert len(made) <= 3


def test_an_error_of_the_work_comes_in_its_place_and_nothing_goes_on(pool) -> None:
    def work(number: int) -> int:
        return 6 // (2 - number)

    results = mapped(work, numbers(10), pool, 4)
    assert [next(results), next(results)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


def test_work_that_is_given_up_has_ended_and_closed_what_it_reads(pool) -> None:
    closed, busy, running = [], threading.Event(), []

    def endless() -> Generator[int, None, None]:
        try:
            yield from range(10**9)
        finally:
            closed.append(True)

    def work(number: int) -> int:
        running.append(number)
        if number == 0:
            assert busy.wait(20)
        else:
            busy.set()
            time.sleep(0.1)
        running.remove(number)
        return number

    with closing(mapped(work, ahead(endless(), pool, 2), pool, 3)) as results:
        assert next(results) == 0
    assert (closed, running) == ([True], [])
