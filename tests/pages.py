"""Pages of made-up studies, and a browser to open them in."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import HANGS_S

from raygrid.report.figures import Figure
from raygrid.report.html import page
from raygrid.report.inference.design import designs_of
from raygrid.report.ranking import rankings
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet
from raygrid.report.tables import table

SMALL: dict[str, Any] = {"folds": 3, "datasets": ["mnist", "stl10"]}
SHEET = Sheet(
    "<b>Pairs</b>", ("Left", "p"), tuple((name, p) for name, p in zip("abcdef", "123456", strict=True)), ("A note.",)
)


def write(found: Results, content: Sequence[Sheet | Figure] = (SHEET,), **changes: Any) -> str:
    """The page of some results as a report makes it, statistics left out."""
    tables = [table(found.frame, rows=rows, missing="mark") for rows in ("dataset", "imbalance")]
    designs = designs_of(found)
    given = {"rankings": rankings(found.frame, designs), "designs": designs, "findings": ["SMOTE is best."]}
    return page(found, tables=tables, content=content, **given | changes)


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """A browser without a window, which keeps its profile in the folder."""
    webdriver = pytest.importorskip("selenium.webdriver")
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
        *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1280,900"),
        "--force-prefers-reduced-motion",  # a click would come before the end of a smooth scroll
        f"--user-data-dir={folder}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as browser:
        yield browser


class Tab:
    """One page in the browser."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.browser = browser
        self.size(1280, 900)
        browser.get("about:blank")  # or a page that differs in its fragment only would not be loaded anew
        browser.get_log("browser")
        browser.get(path.as_uri())

    def size(self, width: int, height: int) -> None:
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def narrow(self) -> None:
        self.size(390, 844)

    def media(self, media: str = "", **features: str) -> None:
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": named})

    def js(self, expression: str, *arguments: Any) -> Any:
        return self.browser.execute_script(f"return {expression}", *arguments)

    def one(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """What can be seen of the elements: no text for those that are hidden."""
        return [element.text for element in self.browser.find_elements("css selector", selector)]

    def filter(self, name: str, level: str) -> None:
        """Leave one level of an axis in the ranking and its figure."""
        labels = self.browser.find_elements("css selector", "#controls > label")
        [label] = [label for label in labels if label.text.split("\n")[0].strip() == name]
        label.find_element("css selector", "select").send_keys(level)

    def choose(self, selector: str, text: str) -> None:
        from selenium.webdriver.support.select import Select

        Select(self.one(selector)).select_by_visible_text(text)

    def wait(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + HANGS_S
        while not condition():
            assert time.monotonic() < deadline, self.js("document.querySelector('dialog').innerText")
            time.sleep(0.02)

    def title(self) -> str:
        return str(self.one("#panel-title").text)

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def tab_to(self, selector: str) -> None:
        """Reach an element with the Tab key alone."""
        for _ in range(120):
            self.press("\ue004")
            if self.js("document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"{selector} cannot be reached with the Tab key")
