"""Threads that share files and videos: all is done once, ends at once, and uses who is idle."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from indexer.crew import Room, Stopped, work_together

WAIT_S = 20


class Parts:
    """A job of some parts; it notes which threads did them, and when it was finished."""

    def __init__(self, name: str, parts: int, together: threading.Barrier | None = None) -> None:
        self.name = name
        self.left = parts
        self.done_by: list[int] = []
        self.finished_after: list[int] = []
        self._together = together
        self._lock = threading.Lock()

    def work(self) -> None:
        while True:
            with self._lock:
                if not self.left:
                    return
                self.left -= 1
            if self._together is not None:
                self._together.wait(WAIT_S)
            self.done_by.append(threading.get_ident())

    def finish(self) -> None:
        self.finished_after.append(len(self.done_by))


def test_each_item_is_begun_once_and_each_job_finished_once_when_it_is_done() -> None:
    sizes = {"a": 1, "b": 5, "c": 0, "d": 9, "e": 2, "f": 30}
    jobs = {name: Parts(name, parts) for name, parts in sizes.items()}
    begun: list[str] = []

    def begin(name: str) -> Parts:
        begun.append(name)
        return jobs[name]

    work_together(jobs, begin, threads=3, stopped=threading.Event())
    assert sorted(begun) == sorted(jobs)
    assert {name: job.finished_after for name, job in jobs.items()} == {
        name: [parts] for name, parts in sizes.items()
    }


def test_an_item_that_needs_nothing_more_is_no_job() -> None:
    seen: list[object] = []
    work_together([None, 1, 2], seen.append, threads=2, stopped=threading.Event())
    assert Counter(seen) == Counter([None, 1, 2])


def test_idle_threads_join_a_job_even_one_that_is_still_being_begun() -> None:
    # Its parts can only be done by three threads at the same time.
    job = Parts("long", 6, threading.Barrier(3))
    others_are_idle = threading.Event()

    def begin(name: str) -> Parts | None:
        if name == "long":
            assert others_are_idle.wait(WAIT_S)
            return job
        if name == "last":
            others_are_idle.set()
        return None

    work_together(["long", "short", "last"], begin, threads=3, stopped=threading.Event())
    assert len(set(job.done_by)) == 3
    assert job.finished_after == [6]


def test_one_thread_is_enough() -> None:
    jobs = [Parts(name, 3) for name in "ab"]
    work_together(jobs, lambda job: job, threads=1, stopped=threading.Event())
    assert [job.finished_after for job in jobs] == [[3], [3]]


def test_an_error_stops_everybody_and_is_raised_when_all_have_returned() -> None:
    stopped, working = threading.Event(), threading.Event()
    begun: list[int] = []

    class Endless:
        def work(self) -> None:
            working.set()
            assert stopped.wait(WAIT_S)
            raise Stopped

        def finish(self) -> None:
            raise AssertionError("it is not done")

    def begin(number: int) -> Endless:
        begun.append(number)
        if number == 0:
            return Endless()
        assert working.wait(WAIT_S)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work_together(range(100), begin, threads=2, stopped=stopped)
    assert begun == [0, 1]


def test_a_thread_that_waits_for_work_returns_when_all_is_stopped() -> None:
    stopped = threading.Event()

    def begin(number: int) -> None:
        if number == 0:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work_together([0], begin, threads=4, stopped=stopped)
    assert stopped.is_set()


def test_room_is_for_many_at_once_or_for_one_alone() -> None:
    room, inside = Room(), []
    both_are_in = threading.Barrier(2)
    seen_by_the_lonely: list[list[str]] = []
    first_is_in, go_on = threading.Event(), threading.Event()

    def one_of_many(name: str) -> None:
        with room.enter(alone=False):
            inside.append(name)
            both_are_in.wait(WAIT_S)
            first_is_in.set()
            assert go_on.wait(WAIT_S)
            inside.remove(name)

    def lonely() -> None:
        with room.enter(alone=True):
            seen_by_the_lonely.append(list(inside))

    threads = [threading.Thread(target=one_of_many, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    assert first_is_in.wait(WAIT_S)
    threads += [threading.Thread(target=lonely) for _ in range(3)]
    for thread in threads[2:]:
        thread.start()
    assert seen_by_the_lonely == []
    go_on.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert seen_by_the_lonely == [[], [], []]
    with room.enter(alone=False), room.enter(alone=False):
        pass
