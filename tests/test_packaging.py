"""What is installed is what is in the repository: the four folders, templates and all."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_all_four_parts_and_nothing_at_its_top(tmp_path: Path) -> None:
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    packaged = {name for name in names if name.startswith("lceval/")}
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lceval"}
    tracked = subprocess.run(
        ["git", "ls-files", "lceval", "tasks", "runners", "reports"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [Path(line) for line in tracked.stdout.splitlines() if (ROOT / line).is_file()]
    wanted = {str(file if file.parts[0] == "lceval" else Path("lceval") / file) for file in files if file.suffix != ".md"}
    assert wanted <= packaged, sorted(wanted - packaged)


def test_every_public_name_exists() -> None:
    import lceval

    assert lceval.__all__ == sorted(lceval.__all__, key=lambda name: (name[0].islower(), name))
    assert all(getattr(lceval, name) for name in lceval.__all__)
