// What a page does beyond being read: it stays fresh, and listens to keys. Without it everything works as well.
"use strict";

const main = () => document.querySelector("main");
const help = () => document.getElementById("help");

// Keys: / search, j and k through rows, Enter opens, ? help.
let at = -1;
const rows = () => [...document.querySelectorAll("[data-row]")];

function step(by) {
  const all = rows();
  if (!all.length) return;
  all.forEach(row => row.classList.remove("at"));
  at = Math.max(0, Math.min(all.length - 1, at + by));
  all[at].classList.add("at");
  all[at].querySelector("a")?.focus({preventScroll: true});
  all[at].scrollIntoView({block: "nearest"});
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { help().close(); document.activeElement?.blur(); return; }
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const keys = {
    "/": () => document.getElementById("search").focus(),
    "j": () => step(1),
    "k": () => step(-1),
    "?": () => (help().open ? help().close() : help().showModal()),
    "g": () => { location.href = "/"; },
  };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});

// Fresh: the page as the server has it now, unless somebody is writing, or has a form unfolded.
async function refresh() {
  const busy = document.activeElement?.closest?.("form") || main().querySelector("details[open] form") || help().open;
  if (busy || document.hidden) { document.body.classList.add("stale"); return; }
  try {
    const answer = await fetch(location.href, {credentials: "same-origin"});
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const back = where();
    for (const part of ["main", ".pulse", "#muted"]) {
      const [now, next] = [document.querySelector(part), fresh.querySelector(part)];
      if (now && next) now.replaceWith(document.adoptNode(next));
    }
    back();
    document.body.classList.remove("stale");
    document.dispatchEvent(new Event("fresh"));
  } catch { /* the next event tries again */ }
}

// Who reads or walks through rows stays where they are: the same thing has the focus, what was unfolded is, and
// nothing has scrolled.
const scrolled = () => [...document.querySelectorAll("main .scroll")];
const summaries = () => [...main().querySelectorAll("details > summary")];
const titled = summary => summary.textContent.split(":")[0]; // what follows is a count

function where() {
  const held = document.activeElement, top = scrollY;
  const back = held?.closest?.("main") ? focus(held) : () => {};
  const sideways = scrolled().map(one => one.scrollLeft);
  const unfolded = summaries().filter(one => one.parentElement.open).map(titled);
  return () => {
    summaries().forEach(one => { if (unfolded.includes(titled(one))) one.parentElement.open = true; });
    scrolled().forEach((one, number) => { one.scrollLeft = sideways[number] ?? 0; });
    back();
    scrollTo(0, top);
  };
}

// Gives the focus back to the same link, fold or table: of several that are alike to the one in the same place.
function focus(held) {
  const name = one => one.matches("a") ? one.getAttribute("href") : one.matches("summary") ? titled(one) : one.ariaLabel;
  const same = () => [...main().querySelectorAll("a[href], summary, .scroll")].filter(one => (
    one.tagName === held.tagName && name(one) === name(held)
  ));
  const place = same().indexOf(held);
  return () => {
    const again = place < 0 ? null : same()[place] ?? same()[0];
    again?.focus({preventScroll: true});
    again?.closest("[data-row]")?.classList.add("at");
  };
}

let waiting = 0;
function soon(ms) {
  if (!waiting) waiting = setTimeout(() => { waiting = 0; refresh(); }, ms);
}

if (document.body.dataset.live !== undefined && "EventSource" in window) {
  const events = new EventSource("/api/v1/events");
  events.addEventListener("alert", () => soon(500));
  events.addEventListener("muted", () => soon(500));
  let first = true;
  events.addEventListener("tick", () => { if (!first) soon(5000); first = false; });
  events.onopen = () => document.body.classList.add("listening");
  events.onerror = () => document.body.classList.remove("listening");
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && document.body.classList.contains("stale")) soon(0);
});
