// Live pieces of a page, without streams: <section id="…" data-poll-url="…" data-poll-seconds="12">.
// Asked again only while the tab is seen, with the last ETag, so that an unchanged day costs an empty 304.

const typing = "input, textarea, select, [contenteditable]";

/** Whether someone is in the middle of something inside `piece`: then nothing may change under their hands. */
function busy(piece) {
  return piece.contains(document.activeElement) && document.activeElement.matches(typing)
    || piece.matches(".is-dragging") || piece.querySelector(".is-dragging, .htmx-request") !== null
    || document.querySelector("dialog[open]") !== null;
}

/** How to find `element` again, or its successor, after its page was drawn anew; null where it has neither id nor address. */
export function selectorOf(element) {
  if (element?.id) return `#${CSS.escape(element.id)}`;
  const address = element?.getAttribute("href");
  return address ? `a[href="${CSS.escape(address)}"]` : null;
}

/** Puts `html` in the place of what `piece` holds, keeping keyboard focus, scroll and folded zones where they were. */
function renew(piece, html) {
  const heldAt = piece.contains(document.activeElement) ? selectorOf(document.activeElement) : null;
  const folded = new Set([...piece.querySelectorAll("details[id]:not([open])")].map((zone) => zone.id));
  const scrolled = [...piece.querySelectorAll(".tl, .scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
  piece.innerHTML = html;
  folded.forEach((id) => piece.querySelector(`#${CSS.escape(id)}`)?.removeAttribute("open"));
  piece.querySelectorAll(".tl, .scroll").forEach((box, n) => scrolled[n] && box.scrollTo(...scrolled[n]));
  window.htmx?.process(piece);
  if (heldAt) piece.querySelector(heldAt)?.focus({ preventScroll: true });
  piece.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
}

async function ask(piece) {
  if (busy(piece)) return;
  const headers = { "HX-Request": "true", "X-Poll": "1" };
  if (piece.dataset.pollTag) headers["If-None-Match"] = piece.dataset.pollTag;
  const answer = await fetch(piece.dataset.pollUrl, { headers, cache: "no-store", redirect: "manual" });
  if (answer.status !== 200) return;
  const html = await answer.text();
  if (busy(piece)) return; // they began typing while it travelled: the next round will do
  piece.dataset.pollTag = answer.headers.get("ETag") ?? "";
  renew(piece, html);
}

/** Starts the rounds for every `[data-poll-url]`; `data-poll-tag` may carry the ETag of what the page already shows. */
export function installPolling() {
  const last = new WeakMap();
  const round = () => {
    if (document.visibilityState !== "visible") return;
    const time = performance.now();
    for (const piece of document.querySelectorAll("[data-poll-url]")) {
      const every = Math.max(5, Number(piece.dataset.pollSeconds) || 12) * 1000;
      if (!last.has(piece)) last.set(piece, time);
      if (time - last.get(piece) < every) continue;
      last.set(piece, time);
      ask(piece).catch(() => {}); // offline: the next round asks again
    }
  };
  if (document.querySelector("[data-poll-url]")) setInterval(round, 1000);
}
