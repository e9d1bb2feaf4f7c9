"""Take the picture of a report that the README shows, of the results that are kept of experiments/own_data.yaml.

    python scripts/screenshot.py

It needs Chromium, and no data: the results are packed in the repository.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "experiments" / "results" / "own_data.zip"
PICTURE = ROOT / "docs" / "images" / "report.webp"
SIZE = "1280,912"  # pixels, down to the end of the ranking


def main() -> None:
    """Write the report of the results into a temporary folder, open it without a window, and keep what is seen."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("screenshot.py: got no chromium and no google-chrome on the PATH; expected one of them; install it")
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "raygrid", "report", RESULTS], cwd=folder, check=True)  # noqa: S603
        page = Path(folder, "runs", "own_data", "report", "index.html")
        seen = Path(folder, "seen.png")
        flags = ["--headless", "--disable-gpu", "--hide-scrollbars", f"--window-size={SIZE}", f"--screenshot={seen}"]
        sandbox = ["--no-sandbox", f"--user-data-dir={folder}/profile"]  # as root there is no sandbox; the page is ours
        subprocess.run([chromium, *flags, *sandbox, page.as_uri()], check=True)  # noqa: S603
        Image.open(seen).convert("RGB").save(PICTURE, quality=80, method=6)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
