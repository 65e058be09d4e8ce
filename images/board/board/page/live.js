// The socket that everything live comes through. It comes back by itself, and says plainly when what is shown is old.
import {at, say} from "./dom.js";
import {when} from "./format.js";

const QUIET_MS = 6000;
const CONNECT_MS = 8000;
const LONGEST_PAUSE_MS = 10000;
const topics = new Map();
let socket = null;
let heard = 0;
let pause = 500;
let timer = 0;
// Server's clock less this one's, so that ages are right on a phone whose clock is not.
let ahead = 0;

export const now = () => Date.now() + ahead;
export const on = (topic, hear) => topics.set(topic, hear);

export function connect() {
  clearTimeout(timer);
  socket?.close();
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`);
  socket = mine;
  const patience = setTimeout(() => mine.readyState === WebSocket.CONNECTING && mine.close(), CONNECT_MS);
  mine.onmessage = ({data}) => {
    if (mine !== socket) return;
    heard = performance.now();
    pause = 500;
    const {topic, data: value} = JSON.parse(data);
    if (topic === "tick") ahead = value - Date.now();
    topics.get(topic)?.(value);
    mark();
  };
  mine.onclose = () => {
    clearTimeout(patience);
    if (mine !== socket) return;
    socket = null;
    timer = setTimeout(connect, pause * (0.5 + Math.random()));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    mark();
  };
}

export const isLive = () => heard > 0 && performance.now() - heard < QUIET_MS;
let lastHeard = 0;

function mark() {
  const box = at("live");
  if (isLive()) {
    lastHeard = now();
    box.dataset.state = "live";
    say(at("live-text"), "live");
  } else {
    box.dataset.state = heard ? "stale" : "connecting";
    say(at("live-text"), heard ? `stale: nothing new since ${when(lastHeard)}, reconnecting` : "connecting");
    // A connection can die without a word.
    if (heard && socket?.readyState === WebSocket.OPEN && performance.now() - heard > 2 * QUIET_MS) socket.close();
  }
}

export function start() {
  connect();
  setInterval(mark, 1000);
  const again = () => { if (!isLive() && document.visibilityState === "visible") { pause = 500; connect(); } };
  addEventListener("online", again);
  document.addEventListener("visibilitychange", again);
}
