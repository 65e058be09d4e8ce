"""The page in Chromium, as a person uses it: with a mouse, with the keyboard alone, on a phone, and when something is wrong."""

import json
import shlex

import pytest
from botkit.signing import alert_is_signed
from generator_chromium import DESKTOP, Form
from generator_page import KEY, Served
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from slanger.alert import Alert

pytestmark = pytest.mark.browser


def test_a_bracket_alert_from_the_form_is_signed_and_says_what_it_may_do(form):
    form.start("bracket")
    form.type(size="notional", amount="100", take_profit="1%", stop_loss="$2.50", order_notional="500", notional_per_day="2000")
    form.type(expires="2027-02-22")
    form.submit()
    assert form.errors() == {}
    fixed = form.alert()["alert"]
    assert fixed["order"] == {"notional": 100, "take_profit": "1%", "stop_loss": "$2.50"}
    assert fixed["limits"] == {"order_notional": 500, "notional_per_day": 2000} and fixed["symbols"] == ["AAPL", "MSFT"]
    assert form.at("made-url").text == "https://hooks.example.com/bracket"
    words = form.at("words").text
    assert "at most $500 an order, at most $2,000 a day" in words and "until 22 Feb 2027" in words
    assert form.browser.switch_to.active_element.get_attribute("id") == "result-title"
    # The key has done its work.
    assert form.at("signing_key").get_attribute("value") == "" and KEY not in form.browser.page_source


def test_a_trailing_alert_of_an_indicator_with_the_server_s_size(form):
    form.start("trailing")
    form.type(action="buy", size="server", trail_percent="0.5")
    form.submit()
    body = form.alert()
    assert (body["alert"]["order"], body["action"], body["price"]) == ({"trail_percent": "0.5"}, "buy", "187.50")
    assert "The server's defaults decide: size" in form.at("notes").text


def test_only_the_fields_of_the_route_are_shown(form):
    assert "size" not in form.shown()
    form.type(route="bracket")
    bracket = form.shown()
    form.type(route="market")
    market = form.shown()
    assert {"take_profit", "stop_loss", "stop_limit"} <= bracket and not {"trail_percent", "stop_price", "amount"} & bracket
    assert not {"take_profit", "limit_price", "trail_percent"} & market
    form.at("more").find_element(By.TAG_NAME, "summary").click()
    assert {"sp", "time_in_force"} <= form.shown() and not {"side", "profit", "extended_hours"} & form.shown()
    form.at("sp").click()
    assert {"side", "profit"} <= form.shown()
    form.type(size="risk")
    assert "amount" in form.shown() and form.browser.find_element(By.CSS_SELECTOR, "label[for=amount]").text == "Percent of cash"


def test_what_was_typed_for_another_route_is_not_sent(form):
    form.start("bracket")
    form.type(size="risk_to_stop", amount="1", take_profit="1%", stop_loss="1%", route="market")
    assert form.at("size").get_attribute("value") == ""
    form.type(size="qty", amount="3")
    form.submit()
    assert form.alert()["alert"]["order"] == {"qty": 3}


def test_a_mistake_is_told_beside_its_field_and_gets_the_focus(form):
    form.start("bracket")
    form.type(name="MACD 5", size="notional", amount="-1", take_profit="1x", stop_loss="1%")
    form.submit()
    errors = form.errors()
    assert (
        set(errors) == {"name", "amount", "take_profit"} and errors["amount"] == "Use an amount in dollars above 0, such as 1000 or 99.50."
    )
    assert "3 fields need a change." in form.at("trouble").text and not form.at("result").is_displayed()
    name = form.browser.switch_to.active_element
    assert name.get_attribute("id") == "name" and name.get_attribute("aria-invalid") == "true"
    assert "name-error" in name.get_attribute("aria-describedby").split()
    form.type(name="macd-5m", amount="100", take_profit="1%")
    form.submit()
    assert form.errors() == {} and not form.at("trouble").is_displayed() and form.alert()


def test_a_mistake_in_the_closed_part_opens_it(form):
    form.start("market")
    form.type(size="qty", amount="1")
    form.at("more").find_element(By.TAG_NAME, "summary").click()
    form.type(comment="two words")
    form.at("more").find_element(By.TAG_NAME, "summary").click()
    assert "comment" not in form.shown()
    form.submit()
    assert set(form.errors()) == {"comment"}


def test_without_size_or_key_it_asks_for_both(form):
    form.start("market")
    form.type(signing_key="")
    form.submit()
    assert set(form.errors()) == {"size", "signing_key"} and form.errors()["size"].startswith("How much is an order?")
    form.type(size="qty")
    form.submit()
    assert set(form.errors()) == {"amount", "signing_key"}
    form.at("unsigned").click()
    assert "signing_key" not in form.shown()
    form.type(amount="1")
    form.submit()
    assert "signature" not in json.loads(form.at("made-text").text)


@pytest.mark.parametrize("what", ["made-url", "made-text", "made-curl"])
def test_the_copy_buttons_copy_all_of_it(form, what):
    form.start("market")
    form.type(size="qty", amount="1")
    form.submit()
    origin = form.browser.current_url.split("/", 3)
    grant = {"origin": "/".join(origin[:3]), "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    form.browser.execute_cdp_cmd("Browser.grantPermissions", grant)
    form.browser.find_element(By.CSS_SELECTOR, f"[data-copy={what}]").click()
    form.wait(lambda: form.at("said").text == "Copied.")
    copied = form.browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == form.at(what).text and len(copied) > 20


def test_the_curl_line_of_the_page_is_a_signed_alert_of_now(form):
    form.start("market")
    form.type(size="qty", amount="1")
    form.submit()
    words = shlex.split(form.at("made-curl").text)
    body = json.loads(words[words.index("--data") + 1])
    alert = Alert.model_validate(body)
    now = form.browser.execute_script("return Date.now() / 1000")
    assert alert_is_signed([KEY], body["alert"], alert.signature) and now - 120 < alert.time <= now


def test_the_keyboard_is_enough(form):
    form.at("name").click()
    keys = webdriver.ActionChains(form.browser)
    for text in ("macd-5m", "paper", "https://hooks.example.com", "Market", "Buy", "AAPL"):
        keys.send_keys(text, Keys.TAB)
    keys.perform()
    assert Select(form.at("route")).first_selected_option.text == "Market"
    form.at("size").send_keys("Quantity", Keys.TAB, "2")
    form.at("signing_key").send_keys(KEY, Keys.ENTER)
    form.wait(lambda: form.at("result").is_displayed())
    assert form.alert()["alert"]["symbols"] == ["AAPL"]


def test_no_two_elements_have_the_same_id(form):
    ids = [one.get_attribute("id") for one in form.browser.find_elements(By.CSS_SELECTOR, "[id]")]
    assert len(ids) == len(set(ids))


def test_every_field_has_a_label_and_its_help_is_said_with_it(form):
    for control in form.browser.find_elements(By.CSS_SELECTOR, "input, select"):
        key = control.get_attribute("id")
        assert form.browser.execute_script("return arguments[0].labels.length", control) == 1, key
        for described in control.get_attribute("aria-describedby").split():
            assert form.browser.find_elements(By.ID, described), described


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_is_wider_than_the_screen(browser, keyless, width):
    form = Form(browser, keyless.url, (width, 800))
    form.start("bracket")
    form.at("more").find_element(By.TAG_NAME, "summary").click()
    form.type(size="notional", amount="100", take_profit="1%", stop_loss="x" * 60)
    form.submit()
    scrolls = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert browser.execute_script("return innerWidth") == width and not browser.execute_script(scrolls)
    form.type(stop_loss="1%", name="a" * 32)
    form.submit()
    assert not browser.execute_script(scrolls) and form.at("result").is_displayed()


def test_a_server_that_is_gone_is_told(browser, tmp_path):
    served = Served(KEY, tmp_path / "log")
    form = Form(browser, served.url, DESKTOP)
    assert "signing_key" not in form.shown() and form.at("key-known").is_displayed()
    served.stop()
    form.submit()
    assert "start `alerts page` again" in form.at("trouble").text
