"""The page in Chromium: how a person fills it in and what they see."""

import json
import shutil
from pathlib import Path

from botkit.signing import alert_is_signed
from generator_page import KEY
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait
from slanger.alert import Alert
from slanger.generator.placeholders import fill, plausible_values

from tools.setup.browser import DRIVER, browser_program

LIMIT = 60  # Seconds that a slow machine may take to show something.
DESKTOP = (1280, 1100)
FLAGS = (
    "--headless",
    "--no-sandbox",  # Chromium does not run as root without it; the only page that is opened is ours.
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def start_browser(profile: Path) -> webdriver.Chrome:
    """`profile`: a new, empty folder."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = str(browser_program())
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which(DRIVER)))


class Form:
    """The page, fresh."""

    def __init__(self, browser: webdriver.Chrome, address: str, size: tuple[int, int]) -> None:
        self.browser = browser
        width, height = size
        # The window has a least width of its own; what is emulated has none.
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get_log("browser")  # Another test's end here.
        browser.get(address)

    def at(self, key: str):
        return self.browser.find_element(By.ID, key)

    def type(self, **values: str) -> None:
        for key, value in values.items():
            element = self.at(key)
            if element.tag_name == "select":
                Select(element).select_by_value(value)
            else:
                element.clear()
                element.send_keys(value)

    def submit(self) -> None:
        self.at("make").click()
        self.wait(lambda: self.at("make").is_enabled() and (self.at("result").is_displayed() or self.at("trouble").is_displayed()))

    def wait(self, condition) -> None:
        WebDriverWait(self.browser, LIMIT).until(lambda _: condition())

    def shown(self) -> set[str]:
        """Keys of the fields that can be seen."""
        fields = self.browser.find_elements(By.CSS_SELECTOR, "[data-field]")
        return {field.get_attribute("data-field") for field in fields if field.is_displayed()}

    def errors(self) -> dict[str, str]:
        """Key -> the sentence beside its field."""
        seen = [one for one in self.browser.find_elements(By.CSS_SELECTOR, "p.error") if one.is_displayed()]
        return {one.get_attribute("id").removesuffix("-error"): one.text for one in seen}

    def alert(self) -> dict:
        """The message on the page as TradingView would send it, its signature checked."""
        values = plausible_values(1_795_500_000, "AAPL", "buy", "187.50", "3")
        body = json.loads(fill(self.at("made-text").text, values))
        Alert.model_validate(body)
        assert alert_is_signed([KEY], body["alert"], body["signature"])
        return body

    def start(self, route: str) -> None:
        """What every alert needs."""
        self.type(name="macd-5m", account="paper", url="https://hooks.example.com", symbols="AAPL, MSFT", route=route, signing_key=KEY)
