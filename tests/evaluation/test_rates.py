"""ROC curves by hand, and against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from indexer.errors import UsageError
from indexer.evaluation.rates import allowed_accepts, far_key, reached, roc_of


def drawn(count: int, seed: int, *, decimals: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Scores of pairs of both kinds; few decimals make many equal ones."""
    generator = np.random.default_rng(seed)
    same = generator.random(count) < 0.4
    return (generator.normal(size=count) + 1.5 * same).round(decimals), same


def test_a_curve_by_hand() -> None:
    roc = roc_of(np.array([0.9, 0.8, 0.8, 0.3]), np.array([True, True, False, False]))
    assert roc.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.3]
    assert roc.tar.tolist() == [0.0, 0.5, 1.0, 1.0]
    assert roc.far.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert roc.auc == 0.875
    # From (0, 0.5) to (0.5, 1) the line meets FAR = 1 - TAR at a quarter.
    assert roc.equal_error_rate == pytest.approx(0.25)


@pytest.mark.parametrize("decimals", [1, 6])
def test_a_curve_as_scikit_learn_draws_it(decimals: int) -> None:
    scores, same = drawn(2000, seed=3, decimals=decimals)
    roc = roc_of(scores, same)
    far, tar, thresholds = roc_curve(same, scores, drop_intermediate=False)
    assert np.allclose(roc.far, far, rtol=0, atol=1e-12)
    assert np.allclose(roc.tar, tar, rtol=0, atol=1e-12)
    assert roc.thresholds.tolist() == thresholds.tolist()
    assert roc.auc == pytest.approx(roc_auc_score(same, scores), abs=1e-12)


def test_the_equal_error_rate_lies_on_the_curve_where_both_errors_meet() -> None:
    scores, same = drawn(4000, seed=5)
    roc = roc_of(scores, same)
    found = roc.equal_error_rate
    assert np.interp(found, roc.far, roc.tar) == pytest.approx(1 - found, abs=5e-3)
    # Two unit normals 1.5 apart err alike in the middle, at the normal tail beyond 0.75.
    assert found == pytest.approx(0.2266, abs=0.02)


def test_perfect_and_useless_scores() -> None:
    same = np.array([True, True, False, False])
    perfect = roc_of(np.array([0.9, 0.8, 0.2, 0.1]), same)
    assert (perfect.auc, perfect.equal_error_rate, perfect.tar_at(0.5)) == (1.0, 0.0, 1.0)
    useless = roc_of(np.zeros(4), same)
    assert (useless.auc, useless.equal_error_rate) == (0.5, 0.5)


def test_tar_is_the_highest_whose_far_is_at_most_the_rate() -> None:
    scores, same = drawn(5000, seed=7)
    roc = roc_of(scores, same)
    far, tar, _ = roc_curve(same, scores, drop_intermediate=False)
    for rate in (0.1, 1e-2, 1e-3):
        assert roc.tar_at(rate) == pytest.approx(tar[far <= rate].max())


def test_equal_scores_are_accepted_together_or_not_at_all() -> None:
    """Of ten different pairs two share a score: a rate of 1 in 10 cannot take one of them alone."""
    scores = np.array([0.9, 0.8, 0.7] + [0.8, 0.8] + [0.1] * 8)
    roc = roc_of(scores, np.array([True] * 3 + [False] * 10))
    assert roc.tar_at(0.1) == pytest.approx(1 / 3)
    assert roc.tar_at(0.2) == 1.0


def test_a_rate_that_allows_not_one_pair_is_not_told() -> None:
    scores, same = np.arange(1300.0), np.arange(1300) >= 1000
    roc = roc_of(scores, same)
    assert roc.tar_at(1e-3) == 1.0
    assert roc.tar_at(9e-4) is None


def test_rates_count_pairs_whatever_floats_make_of_their_product() -> None:
    assert [allowed_accepts(n, 1e-3) for n in (999, 1000, 3000, 7000, 41_000)] == [0, 1, 3, 7, 41]


def test_rates_need_pairs_of_both_kinds() -> None:
    for same in ([True, True], [False, False], []):
        with pytest.raises(UsageError, match="pairs of one person"):
            roc_of(np.ones(len(same)), np.array(same, bool))


def test_keys_are_powers_of_ten() -> None:
    assert [far_key(far) for far in (1e-2, 0.001, 1e-5)] == ["1e-2", "1e-3", "1e-5"]


def test_the_share_that_reaches_a_threshold_counts_those_on_it() -> None:
    assert reached(np.array([0.1, 0.5, 0.9, 0.4]), 0.5) == 0.5
    assert reached(np.empty(0), 0.5) is None
