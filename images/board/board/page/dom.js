// Elements from plain values. Text is only ever set as text: nothing that a service says can become markup.

export const at = id => document.getElementById(id);

export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}

// Sets text only where it changes: a screen reader isn't told the same again, and a selection stays.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Rows of `parent` kept by key, so that focus and scrolling survive an update. `make` gives a fresh element.
export function keep(parent, items, keyOf, make) {
  const before = new Map([...parent.children].map(child => [child.dataset.key, child]));
  let place = parent.firstChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const fresh = make(item);
    fresh.dataset.key = key;
    let node = before.get(key);
    before.delete(key);
    if (!node) node = fresh;
    else if (!node.isEqualNode(fresh)) replace(node, fresh);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  before.forEach(node => node.remove());
}

// The node stays and with it the focus of what is in it; the rest becomes that of `fresh`.
function replace(node, fresh) {
  if (node.nodeType !== fresh.nodeType || node.nodeName !== fresh.nodeName || node.childNodes.length !== fresh.childNodes.length) {
    node.replaceWith?.(fresh);
    return;
  }
  if (node.nodeType === Node.TEXT_NODE) {
    if (node.data !== fresh.data) node.data = fresh.data;
    return;
  }
  for (const {name} of [...node.attributes]) if (!fresh.hasAttribute(name) && name !== "open") node.removeAttribute(name);
  for (const {name, value} of fresh.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  const [old, young] = [[...node.childNodes], [...fresh.childNodes]];
  old.forEach((child, number) => replace(child, young[number]));
}

// A table from columns [{name, num?, wide?}] and rows of cells (text or nodes); `caption` is for screen readers.
export function table(element, caption, columns, rows, keyOf = (_, number) => number) {
  if (!element.tHead) {
    element.append(el("caption", {class: "unseen"}, caption), el("thead"), el("tbody"));
  }
  say(element.caption, caption);
  const kind = column => [column.num && "num", column.wide && "wide"].filter(Boolean).join(" ") || null;
  keep(element.tHead, [columns], () => "head", () => el("tr", {}, ...columns.map(one => el("th", {scope: "col", class: kind(one)}, one.name))));
  const body = element.tBodies[0];
  keep(body, rows.map((cells, number) => ({cells, key: keyOf(cells, number)})), one => one.key, one =>
    el("tr", {class: one.cells.kind}, ...one.cells.map((cell, number) => el("td", {class: kind(columns[number])}, cell))));
}
