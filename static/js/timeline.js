// The timeline under a hand: arrows move from piece to piece, a drag over free ground chooses its hours.
// Without this file every bar and every free stretch is a link, and Tab reaches them all.

const SLOT_MINUTES = 15;

const number = (element, letter) => {
  const found = [...element.classList].find((name) => name.length < 4 && name[0] === letter && /^\d+$/.test(name.slice(1)));
  return found ? Number(found.slice(1)) : 0;
};
const start = (piece) => number(piece, "c");
const end = (piece) => start(piece) + number(piece, "w");
const clock = (slot) => {
  const minutes = slot * SLOT_MINUTES;
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
};
/** As people read it: « 9 h 30 » in French, with narrow no-break spaces; 9:30 otherwise. */
const spoken = (slot) => {
  const [hours, minutes] = clock(slot).split(":");
  if (document.documentElement.lang !== "fr") return `${Number(hours)}:${minutes}`;
  return `${Number(hours)}\u202fh${minutes === "00" ? "" : `\u202f${minutes}`}`;
};
const pieces = (lane) => [...lane.querySelectorAll(":scope > a")];
const lanes = (grid) => [...grid.querySelectorAll(".lane")].filter((lane) => lane.offsetParent && lane.querySelector("a"));

// --- Keyboard: one Tab stop for the whole grid, arrows inside (WAI-ARIA calls it a roving tabindex). ------------------

function rove(grid, chosen) {
  grid.querySelectorAll(".lane > a").forEach((piece) => { piece.tabIndex = -1; });
  const first = chosen ?? grid.querySelector(".lane > a");
  if (first) first.tabIndex = 0;
}

function neighbour(grid, piece, key) {
  const row = piece.parentElement;
  const inRow = pieces(row);
  if (key === "ArrowRight") return inRow[inRow.indexOf(piece) + 1];
  if (key === "ArrowLeft") return inRow[inRow.indexOf(piece) - 1];
  if (key === "Home") return inRow[0];
  if (key === "End") return inRow.at(-1);
  const rows = lanes(grid);
  const next = rows[rows.indexOf(row) + (key === "ArrowDown" ? 1 : -1)];
  if (!next) return null;
  // Up and down keep the hour: remembered from the first move, so that a long bar does not lose it.
  const hour = Math.max(Number(grid.dataset.hour ?? start(piece)), start(piece));
  return pieces(next).find((other) => start(other) <= hour && hour < end(other)) ?? pieces(next).at(-1);
}

function onKey(event) {
  const piece = event.target.closest(".lane > a");
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
  if (!piece || !keys.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  const grid = event.currentTarget;
  const to = neighbour(grid, piece, event.key);
  event.preventDefault();
  if (!to) return;
  if (["ArrowUp", "ArrowDown"].includes(event.key)) grid.dataset.hour ??= start(piece);
  else delete grid.dataset.hour;
  rove(grid, to);
  to.focus();
}

// --- Pointer: a drag over free ground becomes `from` and `to` of that ground's own link. ------------------------------

/** The free stretch's link with the hours chosen on it; slots are quarter hours since midnight. */
function address(free, from, to) {
  const url = new URL(free.href);
  url.searchParams.set("from", clock(from));
  if (to) url.searchParams.set("to", clock(to % (24 * 60 / SLOT_MINUTES)));  // the midnight that ends a day is 00:00
  else url.searchParams.delete("to");
  return url.href;
}

function open(grid, free, url) {
  if (!free.hasAttribute("hx-get") || !window.htmx) { window.location.assign(url); return; }
  window.htmx.ajax("GET", url, { target: "#sheet-body", source: free });
}

const step = (grid) => Math.max(1, Math.round((Number(grid.dataset.step) || 30) / SLOT_MINUTES));

function slotAt(free, x, round) {
  const box = free.getBoundingClientRect();
  const slots = number(free, "w");
  return start(free) + Math.min(slots, Math.max(0, round(((x - box.left) / box.width) * slots)));
}

function onDown(event) {
  const free = event.target.closest(".lane > .f");
  if (!free || event.button !== 0 || event.pointerType === "touch") return; // a finger scrolls; it taps to book
  const grid = event.currentTarget;
  const unit = step(grid);
  const snap = (slot) => Math.max(start(free), Math.min(end(free), start(free) + Math.round((slot - start(free)) / unit) * unit));
  const anchor = Math.max(start(free), Math.floor(slotAt(free, event.clientX, Math.floor) / unit) * unit);
  const ghost = document.createElement("span");
  let moved = false;
  let hours = [anchor, anchor];

  const move = (motion) => {
    if (!moved && Math.abs(motion.clientX - event.clientX) < 6) return;
    const here = snap(slotAt(free, motion.clientX, Math.round));
    hours = here > anchor ? [anchor, here] : [here, Math.min(anchor + unit, end(free))];
    if (!moved) { grid.classList.add("is-dragging"); free.after(ghost); }
    moved = true;
    ghost.className = `sel c${hours[0]} w${Math.max(1, hours[1] - hours[0])}`;
    ghost.textContent = `${spoken(hours[0])} – ${spoken(hours[1])}`;
  };
  const finish = (last) => {
    for (const [name, listener] of Object.entries(listeners)) window.removeEventListener(name, listener);
    grid.classList.remove("is-dragging");
    ghost.remove();
    if (moved && last.type === "pointerup" && hours[1] > hours[0]) {
      const swallow = (click) => { click.preventDefault(); click.stopPropagation(); };
      window.addEventListener("click", swallow, { capture: true }); // the click that ends the drag
      setTimeout(() => {
        window.removeEventListener("click", swallow, { capture: true });
        open(grid, free, address(free, ...hours));
      });
    }
  };
  const cancel = (pressed) => { if (pressed.key === "Escape") finish(pressed); };
  const listeners = { pointermove: move, pointerup: finish, pointercancel: finish, keydown: cancel };
  for (const [name, listener] of Object.entries(listeners)) window.addEventListener(name, listener);
}

/** A plain click on a long free stretch begins where it was clicked; Enter keeps the link as it is. */
function onClick(event) {
  const free = event.target.closest(".lane > .f");
  if (!free || event.detail === 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const grid = event.currentTarget;
  const unit = step(grid);
  const from = Math.max(start(free), Math.floor(slotAt(free, event.clientX, Math.floor) / unit) * unit);
  event.preventDefault();
  event.stopPropagation();
  open(grid, free, address(free, from, null));
}

function install(grid) {
  rove(grid);
  if (grid.dataset.ready) return;
  grid.dataset.ready = "1";
  grid.addEventListener("keydown", onKey);
  grid.addEventListener("focusin", (event) => { if (event.target.matches(".lane > a")) rove(grid, event.target); });
  grid.addEventListener("pointerdown", onDown);
  grid.addEventListener("dragstart", (event) => event.preventDefault());
  grid.addEventListener("click", onClick, { capture: true });
  // On a narrow screen the day opens at the present hour.
  const now = grid.querySelector(".now");
  if (now && grid.scrollWidth > grid.clientWidth) grid.scrollLeft = Math.max(0, now.offsetLeft - grid.clientWidth / 2);
}

const all = () => document.querySelectorAll(".tl").forEach(install);
all();
document.addEventListener("renewed", all);
document.addEventListener("htmx:afterSwap", all);
