"""Compiled kernels are those of the sources that lie beside them."""

from pathlib import Path

from yizhan.geo._kernel_cache import digest_of_sources


def test_a_change_in_any_file_makes_the_compiled_kernels_another_set(tmp_path: Path) -> None:
    (tmp_path / "passage").mkdir()
    (tmp_path / "kernels.py").write_text("RADIUS = 1")
    (tmp_path / "passage" / "called.py").write_text("STEP = 1")
    before = digest_of_sources(tmp_path)
    assert digest_of_sources(tmp_path) == before
    (tmp_path / "passage" / "called.py").write_text("STEP = 2")
    assert digest_of_sources(tmp_path) != before


def test_numba_keeps_kernels_in_the_folder_of_these_sources() -> None:
    from numba import config

    import yizhan.geo

    assert digest_of_sources(Path(yizhan.geo.__file__).parent) in config.CACHE_DIR
