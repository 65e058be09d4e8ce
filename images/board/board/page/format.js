// Numbers, money and times as people read them. A gain has a plus sign, a loss a minus sign: colour is never the only mark.
import {el} from "./dom.js";

export const NOTHING = "–";
const MINUS = "−";
const CENTS = new Set(["USD", "USDT", "USDC", "BUSD", "EUR", "GBP", "CHF", "FDUSD", "DAI"]);

const known = value => typeof value === "number" && Number.isFinite(value);
const digits = new Map();

export function fixed(value, places, signed = false) {
  if (!known(value)) return NOTHING;
  if (!digits.has(places)) digits.set(places, new Intl.NumberFormat("en", {minimumFractionDigits: places, maximumFractionDigits: places}));
  const text = digits.get(places).format(Math.abs(value));
  const zero = !/[1-9]/.test(text);
  return (value < 0 && !zero ? MINUS : signed && !zero ? "+" : "") + text;
}

export const places = currency => (CENTS.has(currency) ? 2 : 6);
export const money = (value, currency, signed = false) => (known(value) ? `${fixed(value, places(currency), signed)} ${currency || ""}`.trim() : NOTHING);
export const percent = value => (known(value) ? `${fixed(value, 2, true)} %` : NOTHING);
export const count = value => (known(value) ? new Intl.NumberFormat("en").format(value) : NOTHING);
export const usd = value => (known(value) ? `$${fixed(value, 2)}` : NOTHING);
export const tone = value => (!known(value) || value === 0 ? "" : value > 0 ? "good" : "bad");
export const gain = (text, value) => el("span", {class: tone(value) || null}, ...[text].flat());
export const several = (number, one, more) => `${count(number)} ${number === 1 ? one : more}`;

export function rate(value) {
  return known(value) ? new Intl.NumberFormat("en", {maximumSignificantDigits: 7}).format(value) : NOTHING;
}

// Seconds as one or two units.
export function span(seconds) {
  if (!known(seconds)) return NOTHING;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

// The zone that times are shown in: the browser's own or UTC.
export const OWN = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const zones = new Map();
let zone = OWN;

export function setZone(name) {
  zone = name;
  zones.clear();
}

function formatter(name, options) {
  if (!zones.has(name)) zones.set(name, new Intl.DateTimeFormat("en-GB", {timeZone: zone, hourCycle: "h23", ...options}));
  return zones.get(name);
}

const TIME = {hour: "2-digit", minute: "2-digit", second: "2-digit"};
const DAY = {day: "numeric", month: "short"};
export const clock = ms => formatter("clock", TIME).format(ms);
export const minute = ms => formatter("minute", {hour: "2-digit", minute: "2-digit"}).format(ms);
export const day = ms => formatter("day", DAY).format(ms);
// A sum of UTC's days belongs to UTC's month, wherever it is read.
const monthOfUtc = new Intl.DateTimeFormat("en-GB", {timeZone: "UTC", month: "short", year: "numeric"});
export const monthUtc = ms => monthOfUtc.format(ms);
export const month = ms => formatter("month", {month: "short", year: "numeric"}).format(ms);
export const full = ms => formatter("full", {...DAY, year: "numeric", ...TIME, timeZoneName: "short"}).format(ms);
export const exact = ms => formatter("exact", {...TIME, fractionalSecondDigits: 3}).format(ms);

// With the day when it isn't today.
export function when(ms, now = Date.now()) {
  if (!known(ms)) return NOTHING;
  return day(ms) === day(now) ? clock(ms) : `${day(ms)}, ${minute(ms)}`;
}

export const moment = ms => (known(ms) ? el("time", {class: "time", datetime: new Date(ms).toISOString(), title: full(ms)}, when(ms)) : NOTHING);

export function zoneLabel(name) {
  const part = new Intl.DateTimeFormat("en-GB", {timeZone: name, timeZoneName: "shortOffset"}).formatToParts(Date.now()).find(one => one.type === "timeZoneName");
  const offset = part ? part.value.replace("GMT", "UTC") : "UTC";
  return name === offset ? name : `${name.replaceAll("_", " ")} (${offset})`;
}
