"""Dating of what the fleet took up: by river's ADWIN where nobody announced it."""

from __future__ import annotations

import numpy as np
import pytest
from river.drift import ADWIN

from detectors.comparison import drift
from detectors.comparison.drift import Dated, Releases, SeriesDrift
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.parameters import HOUR_MS

START = 490_000


def shares(level, hours=260, seed=1, requests=10_000):
    """Hourly shares with a daily rhythm, noise of a tenth, and the chance of counting."""
    rng = np.random.default_rng(seed)
    for hour in range(hours):
        wave = (1 + 0.3 * np.sin(hour * 2 * np.pi / 24)) * np.exp(rng.normal(0, 0.1))
        yield rng.binomial(requests, min(level(hour) * wave, 1.0)) / requests


def rises(level, **told):
    series = SeriesDrift()
    found = [series.learn(START + hour, share) for hour, share in enumerate(shares(level, **told))]
    return [rise for rise in found if rise is not None]


def fed(releases, hours, level, total=10_000):
    for hour in hours:
        new = round(total * level(hour))
        releases.learn(START + hour, {"atlas-3": total - new, "atlas-4": new})
    return releases


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("before", "after"), [(0.0, 0.05), (0.003, 0.1), (0.1, 0.25)])
def test_a_step_is_dated_to_two_hours_and_found_within_a_day(before, after, seed):
    (rise,) = rises(lambda hour: after if hour >= 150 else before, seed=seed)
    assert abs(rise.onset - START - 150) <= 2
    assert rise.found - rise.onset <= 24


def test_a_slow_take_up_is_one_rise_that_keeps_its_first_hour():
    found = rises(lambda hour: 0.1 * min(max(hour - 150, 0) / 24, 1.0))
    assert len({rise.onset for rise in found}) == 1
    assert abs(found[-1].onset - START - 150) <= 3


@pytest.mark.parametrize("level", [0.002, 0.05, 0.4])
def test_a_daily_rhythm_is_no_rise(level):
    assert rises(lambda hour: level, hours=500) == []


def test_a_fall_is_no_rise():
    assert rises(lambda hour: 0.3 if hour < 150 else 0.01) == []


def test_time_that_runs_back_is_refused():
    series = SeriesDrift()
    series.learn(START, 0.1)
    with pytest.raises(ValueError, match=f"expected an hour after {START}, got {START}"):
        series.learn(START, 0.1)


def test_a_series_agrees_with_river_hour_by_hour_until_its_first_change():
    """The one detector is river's own, with these settings, on ln(share + floor)."""
    window = ADWIN(delta=drift.CONFIDENCE, clock=1, min_window_length=3, grace_period=drift.GRACE_H)
    series = SeriesDrift()
    for hour, share in enumerate(shares(lambda hour: 0.1 if hour >= 120 else 0.003, hours=140)):
        window.update(np.log(share + drift.SHARE_FLOOR))
        assert (series.learn(START + hour, share) is not None) == window.drift_detected
        if window.drift_detected:
            return
    pytest.fail("river saw no change in a series that rose thirtyfold")


def test_without_river_no_rise_is_found(monkeypatch):
    class Blind:
        drift_detected = False

        def update(self, value):
            pass

    monkeypatch.setattr("river.drift.ADWIN", lambda **settings: Blind())
    assert rises(lambda hour: 0.1 if hour >= 150 else 0.0) == []


def test_a_restored_series_goes_on_as_if_nothing_had_happened():
    values = list(shares(lambda hour: 0.08 if hour >= 200 else 0.004))
    whole, first = SeriesDrift(), SeriesDrift()
    for hour, share in enumerate(values[:190]):
        whole.learn(hour, share), first.learn(hour, share)
    second = SeriesDrift.restored(from_bytes(to_bytes(first.state())))
    for hour, share in enumerate(values[190:], 190):
        assert whole.learn(hour, share) == second.learn(hour, share)
    assert whole.state() == second.state()
    assert whole.last is not None


def test_a_series_of_a_year_remembers_a_month():
    series = SeriesDrift()
    for hour, share in enumerate(shares(lambda hour: 0.05, hours=2_000)):
        series.learn(hour, share)
    assert len(series.values) <= drift.VALUES_MAX


def test_an_announcement_wins_over_what_was_seen():
    releases = fed(Releases({"atlas-4": 123}), range(120), lambda hour: 0.05 if hour >= 60 else 0.0)
    assert releases.of("atlas-4").dated is Dated.ANNOUNCED
    assert releases.released_ms("atlas-4") == 123
    assert abs(releases.rise_of("atlas-4").onset - START - 60) <= 1


def test_an_unannounced_model_is_released_when_it_first_has_real_traffic():
    """Nine requests of ten thousand are somebody's probe; ten are traffic."""
    releases = fed(Releases(), range(120), lambda hour: 0.05 if hour >= 62 else 0.001 if hour >= 60 else 0.0009)
    release = releases.of("atlas-4")
    assert release.dated is Dated.FIRST_TRAFFIC
    assert release.released_ms == (START + 60) * HOUR_MS
    assert releases.unannounced() == [release]


def test_a_model_that_was_in_preview_is_released_when_its_share_rose():
    releases = fed(Releases(), range(200), lambda hour: 0.1 if hour >= 150 else 0.0015 if hour >= 40 else 0.0)
    release = releases.of("atlas-4")
    assert release.dated is Dated.DRIFT
    assert abs(release.released_ms // HOUR_MS - START - 150) <= 1


def test_models_that_were_there_before_the_log_are_no_releases():
    releases = fed(Releases(), range(120), lambda hour: 0.2)
    assert releases.released_ms("atlas-3") is None
    assert releases.released_ms("atlas-4") is None
    assert releases.released_ms("never-seen") is None


def test_hours_without_traffic_say_nothing():
    releases = fed(Releases(), range(30), lambda hour: 0.0)
    for hour in range(30, 60):
        releases.learn(START + hour, {})
    assert fed(releases, range(60, 90), lambda hour: 0.0).unannounced() == []


def test_restored_releases_go_on_as_if_nothing_had_happened():
    def level(hour):
        return 0.1 if hour >= 150 else 0.0015 if hour >= 40 else 0.0

    whole = fed(Releases(), range(200), level)
    second = Releases()
    second.restore(from_bytes(to_bytes(fed(Releases(), range(152), level).state())))
    fed(second, range(152, 200), level)
    assert second.state() == whole.state()
    assert second.unannounced() == whole.unannounced()


def test_a_model_that_came_out_in_the_last_two_weeks_is_new_announced_or_not():
    announced = fed(Releases({"atlas-4": (START + 60) * HOUR_MS}), range(120), lambda hour: 0.05 if hour >= 60 else 0.0)
    dated = fed(Releases(), range(120), lambda hour: 0.05 if hour >= 60 else 0.0)
    for releases in (announced, dated):
        assert releases.is_new("atlas-4", START + 119)
        assert releases.is_new("atlas-4", START + 60 + drift.NEW_FOR_H)
        assert not releases.is_new("atlas-4", START + 61 + drift.NEW_FOR_H)
        assert not releases.is_new("atlas-3", START + 119)


def test_a_model_that_was_there_on_the_first_day_is_not_new_however_rare():
    releases = Releases()
    releases.seen(START, ["atlas-1"])
    releases.seen(START + 100, ["atlas-1", "brio-9"])
    assert not releases.is_new("atlas-1", START + 100)
    assert releases.is_new("brio-9", START + 100)
    assert not releases.is_new("brio-9", START + 101 + drift.NEW_FOR_H)
    assert not releases.is_new("never-used", START + 100)


def test_a_preview_is_new_when_it_comes_out_and_not_before():
    releases = fed(Releases(), range(140), lambda hour: 0.0015)
    releases.seen(START, ["atlas-4"])
    assert not releases.is_new("atlas-4", START + 139)
    fed(releases, range(140, 170), lambda hour: 0.1)
    assert releases.is_new("atlas-4", START + 169)


def test_a_model_that_is_announced_late_takes_the_time_that_is_announced():
    releases = fed(Releases(), range(120), lambda hour: 0.05 if hour >= 60 else 0.0)
    releases.announced = {"atlas-4": 123 * HOUR_MS}
    assert releases.of("atlas-4").dated is Dated.ANNOUNCED
    assert releases.unannounced() == []


def test_a_model_that_is_withdrawn_keeps_its_date_and_is_no_rise():
    releases = fed(Releases(), range(120), lambda hour: 0.05 if hour >= 60 else 0.0)
    before = releases.of("atlas-4")
    fed(releases, range(120, 200), lambda hour: 0.0)
    assert releases.of("atlas-4") == before
