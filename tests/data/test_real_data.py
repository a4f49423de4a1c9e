"""Files as they are found in the world; skipped where the collection of real data is not there."""

import pytest

import dlspec
from tests.conftest import REAL_DATA
from tests.trained import Training

STOCKS = REAL_DATA / "stocks"
AIRLINE = REAL_DATA / "timeseries" / "darts-AirPassengers.csv"


@pytest.mark.skipif(not STOCKS.is_dir(), reason=f"no real data in {STOCKS}")
@pytest.mark.parametrize("name", ["AAPL-20040819-20180120", "INTC-19950101-20040412"])
def test_daily_prices_of_other_shares_are_read(tmp_path, name):
    spec = tmp_path / "s.yaml"
    spec.write_text(
        f"dlspec: 1\ndata: {{series: {STOCKS}/yahoofinance-{name}.csv, target: Close,\n"
        "  features: [Open, High, Low, Close], window: {length: 30}, predict: return}\nmodel: [{lstm: 4}, output]\n"
    )
    assert dlspec.validate(spec) == []
    data = Training(str(spec)).data
    assert data.signature.time == "Date"
    assert len(data.train) > 1500


@pytest.mark.skipif(not AIRLINE.is_file(), reason=f"no real data in {AIRLINE}")
def test_airline_passengers_run_from_a_file_to_a_report(tmp_path):
    spec = tmp_path / "airline.yaml"
    spec.write_text(
        f"dlspec: 1\ndata: {{series: {AIRLINE}, time: Month, target: '#Passengers',\n"
        "  window: {length: 6}, predict: return, split: {validation: 0.2, test: 0.2}}\n"
        "model: [{gru: 4}, output]\ntrain: {epochs: 2}\n"
    )
    run = dlspec.run(spec, out=tmp_path / "run")
    assert set(run.metrics.baselines) == {"persistence", "linear"}
    assert "#Passengers" in run.report.read_text(encoding="utf-8")
