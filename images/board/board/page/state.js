// What the person chose: it stays over a reload (address and browser storage), and panels hear of a change.

export const RANGES = [["1h", "1 h", "hour"], ["6h", "6 h", "6 hours"], ["24h", "24 h", "24 hours"], ["7d", "7 d", "7 days"], ["30d", "30 d", "30 days"]];
const listeners = [];

export const chosen = {range: "24h", bot: "", zone: "own", theme: "system"};

export function load() {
  for (const key of ["zone", "theme", "range"]) {
    const kept = stored(key);
    if (kept) chosen[key] = kept;
  }
  const wanted = new URLSearchParams(location.search);
  for (const key of ["range", "bot"]) if (wanted.has(key)) chosen[key] = wanted.get(key);
  if (!RANGES.some(([value]) => value === chosen.range)) chosen.range = "24h";
  if (!["own", "UTC"].includes(chosen.zone)) chosen.zone = "own";
  if (!["system", "light", "dark"].includes(chosen.theme)) chosen.theme = "system";
}

export function choose(key, value) {
  if (chosen[key] === value) return;
  chosen[key] = value;
  if (key === "bot" || key === "range") {
    const address = new URL(location.href);
    if (value) address.searchParams.set(key, value);
    else address.searchParams.delete(key);
    history.replaceState(null, "", address);
  }
  if (key !== "bot") store(key, value);
  listeners.forEach(([keys, hear]) => keys.includes(key) && hear());
}

export const onChange = (keys, hear) => listeners.push([keys, hear]);
export const rangeWords = () => `last ${RANGES.find(([value]) => value === chosen.range)[2]}`;

function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is switched off: it holds until the page is closed.
  }
}
