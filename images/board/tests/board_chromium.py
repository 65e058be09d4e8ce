"""The board's page in Chromium: as a person sees, clicks and types it."""

import shutil

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tools.setup.browser import DRIVER, browser_program

LIMIT = 60  # Seconds that a slow machine may take to show something.
DESKTOP, PHONE = (1280, 900), (360, 740)
FLAGS = (
    "--headless",
    "--no-sandbox",  # Chromium does not run as root without it; the only page that is opened is ours.
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What Tab stops at.
FOCUSABLE = "a[href], button, input, select, summary, [tabindex='0']"
KEY_OF = """
const names = new Map();
return arguments[0].map(one => {
  const panel = one.closest("section, header, footer")?.id || one.closest("header, footer")?.tagName || "body";
  const own = one.id || one.getAttribute("aria-label") || one.name || one.textContent.trim().slice(0, 40) || one.tagName;
  return one.type === "radio" ? `${panel}/radio ${one.name}` : `${panel}/${one.tagName} ${own}`;
});
"""


def start_browser(profile):
    """`profile`: a new, empty folder."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = str(browser_program())
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which(DRIVER)))


class Page:
    """The page, opened anew; `scheme`: dark or light, as the system has it."""

    def __init__(self, browser, address, size=DESKTOP, scheme="dark", zone="Europe/Berlin"):
        self.browser = browser
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})
        browser.get_log("browser")  # Another test's end here.
        # Neither what another test chose.
        browser.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "local_storage"})
        browser.get("about:blank")
        browser.get(address)

    def js(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def at(self, key):
        return self.browser.find_element(By.ID, key)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector="body"):
        """What is shown of the first match; "" without one."""
        return self.js("const one = document.querySelector(arguments[0]); return one?.checkVisibility() ? one.innerText : ''", selector)

    def texts(self, selector):
        return self.js("return [...document.querySelectorAll(arguments[0])].map(one => one.innerText)", selector)

    def wait(self, condition, why=""):
        """The first true value."""
        return WebDriverWait(self.browser, LIMIT, 0.1).until(lambda _: condition(), why)

    def wait_text(self, selector, part):
        self.wait(lambda: part in self.text(selector), f"{part!r} in {selector}; there is {self.text(selector)[:300]!r}")

    def click(self, selector):
        """Elements of a list may be replaced at any moment."""
        self.js("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        self.browser.find_element(By.CSS_SELECTOR, selector).click()

    def choose(self, key, value):
        Select(self.at(key)).select_by_value(value)

    def options(self, key):
        return [one.get_attribute("value") for one in Select(self.at(key)).options]

    def radio(self, name, value):
        self.js("document.querySelector(arguments[0]).click()", f"input[name={name}][value='{value}']")

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def tab(self, back=False):
        chain = ActionChains(self.browser)
        (chain.key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT) if back else chain.send_keys(Keys.TAB)).perform()

    def focused(self):
        """Name of what has the focus."""
        return self.js(f"return (function() {{ {KEY_OF} }})([document.activeElement])[0]")

    def tab_to(self, name, most=150):
        for _ in range(most):
            if name in self.focused():
                return
            self.tab()
        raise AssertionError(f"Tab never comes to {name}, now at {self.focused()}")

    def reachable(self):
        """Names of everything that can be operated and is shown."""
        return set(
            self.js(f"""
            const shown = [...document.querySelectorAll("{FOCUSABLE}")].filter(one => !one.disabled && one.checkVisibility() && one.tabIndex >= 0);
            return (function() {{ {KEY_OF} }})(shown);""")
        )

    def live(self):
        self.wait(lambda: self.at("live").get_attribute("data-state") == "live", "the live mark")

    def overflow(self):
        """Pixels that the page is wider than the window."""
        return self.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def complaints(self):
        """What the browser's console says: refused scripts, failed requests, errors."""
        return [one["message"] for one in self.browser.get_log("browser")]
