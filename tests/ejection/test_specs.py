"""`load_data` and the preprocessing of the specs that come with dlspec."""

import pytest

from tests.conftest import ROOT
from tests.ejection.written import check_preprocessing, check_rows, written

FILES = [
    "visits_table",
    "motion_lstm",
    "tides_gru",
    "sentences_lstm",
    "shapes_cnn",
    "moving_video",
    "tones_spectrogram",
]
DATASETS = [
    "digits_deep_autoencoder",
    "digits_dbn",
    "goog_high_low",
    "iris_branches",
    "lstm_stock",
    "spiral_mlp",
    "copy_memory",
    "lstm_walk_forward",
]


@pytest.mark.parametrize("name", FILES)
def test_files_are_read_as_dlspec_reads_them(name, tmp_path):
    case = written(ROOT / "specs" / f"{name}.yaml", tmp_path)
    assert not case.fell_back
    check_rows(case)
    check_preprocessing(case)


@pytest.mark.parametrize("name", DATASETS)
def test_networks_see_the_same(name, tmp_path):
    case = written(ROOT / "specs" / f"{name}.yaml", tmp_path)
    check_preprocessing(case)
