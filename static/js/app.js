// What every page gains from scripts. Nothing here is needed to use the product: links lead, forms post.

import { installPolling, selectorOf } from "./poll.js";

const sheet = document.getElementById("sheet");
const said = document.getElementById("said");
const toasts = document.getElementById("toasts");

const TOAST_MS = 12_000;

/** Reads `text` out to screen readers; emptied first so that the same words twice are said twice. */
export function say(text) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = text; });
}

// --- Sheets: whatever htmx puts into the sheet's body opens it; an empty answer closes it. --------------------------

let opener = null;

function sheetFilled() {
  const full = sheet.querySelector("#sheet-body").childElementCount > 0;
  if (full && !sheet.open) {
    opener = document.activeElement;
    sheet.showModal();
    history.pushState({ sheet: true }, ""); // Back closes it, and the page stays
  } else if (!full && sheet.open) {
    sheet.close();
  }
  if (full) (sheet.querySelector("[aria-invalid=true], [autofocus]") ?? sheet.querySelector("#sheet-title"))?.focus();
}

sheet.addEventListener("close", async () => {
  const stale = sheet.querySelector("[data-stale]"); // it said that the page behind shows what is no longer so
  sheet.querySelector("#sheet-body").replaceChildren();
  const left = opener;
  const leftAt = selectorOf(left);
  opener = null;
  leaveEntry();
  if (stale) await htmx.ajax("GET", location.href, { target: "#main", select: "#main", swap: "outerHTML show:none" });
  // The cell that opened it may have been swapped meanwhile: find its successor.
  const back = left?.isConnected ? left : leftAt && document.querySelector(leftAt);
  if (back) back.focus();
});

// A form of the sheet that leads to the page behind, loaded anew: the focus goes to what had opened the sheet, or to the page.
sheet.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && opener) sessionStorage.setItem("opener", JSON.stringify([location.pathname, selectorOf(opener)]));
});
const [behind, openerAt] = JSON.parse(sessionStorage.getItem("opener") ?? "[]");
sessionStorage.removeItem("opener");
if (behind === location.pathname && document.activeElement === document.body) {
  const back = (openerAt && document.querySelector(openerAt)) ?? document.getElementById("main");
  back?.focus({ preventScroll: back.id === "main" });
}

/** Leaves the history entry of a sheet that is no longer open: closed by its cross, or left by sending its form. */
function leaveEntry() {
  if (history.state?.sheet && !sheet.open) history.back();
}

window.addEventListener("popstate", () => {
  if (sheet.open && !history.state?.sheet) sheet.close();
});
window.addEventListener("pageshow", leaveEntry);

sheet.addEventListener("click", (event) => {
  const cross = event.target.closest("[data-close]");
  if (cross) event.preventDefault();
  if (cross || event.target === sheet) sheet.close();
});

// A sheet that draws itself anew: what one typed while its answer travelled is not in that answer, and is put back.
let typed = [];

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.target.matches(".sheet-in")) return;
  const sent = detail.requestConfig.formData;
  typed = [...detail.target.querySelectorAll("input[id], textarea[id]")]
    .filter((field) => sent.has(field.name) && sent.get(field.name) !== field.value)
    .map(({ id, value, selectionStart, selectionEnd }) => ({ id, value, caret: [selectionStart, selectionEnd] }));
});

function sheetRenewed() {
  for (const { id, value, caret } of typed) {
    const field = sheet.querySelector(`#${CSS.escape(id)}`);
    if (!field) continue;
    field.value = value;
    if (field === document.activeElement && caret[0] !== null) field.setSelectionRange(...caret);
  }
  if (document.activeElement === document.body) sheet.querySelector("#sheet-title")?.focus();
  say(document.querySelector("[data-told]")?.textContent.trim() ?? "");
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "sheet-body") sheetFilled();
  else if (event.detail.target.matches(".sheet-in")) sheetRenewed();
  else if (event.detail.target.id === "main" && sheet.open) sheet.close(); // what it asked is answered on the page behind
});
document.addEventListener("sheet:close", () => sheet.close()); // an answer may send HX-Trigger: sheet:close

// --- Toasts: said aloud; they leave by themselves unless they offer something to do. --------------------------------

function welcome(toast) {
  say(toast.querySelector("span").textContent);
  if (toast.querySelector("form") || toast.classList.contains("error")) return;
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, TOAST_MS);
    else toast.remove();
  };
  setTimeout(leave, TOAST_MS);
}

toasts.querySelectorAll(".toast").forEach(welcome);
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.matches?.(".toast")) welcome(node);
}).observe(toasts, { childList: true });

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast, .notice")?.remove();
});

// A modal dialog is above everything: messages and the live region move into it while it is open.
new MutationObserver(() => (sheet.open ? sheet : document.body).append(toasts, said)).observe(sheet, { attributeFilter: ["open"] });

// --- A press that fails is said, not swallowed. ----------------------------------------------------------------------

function trouble() {
  const words = document.body.dataset.trouble;
  if (!words) return;
  const toast = document.createElement("div");
  toast.className = "toast error";
  toast.append(Object.assign(document.createElement("span"), { textContent: words }));
  toasts.replaceChildren(toast);
}
document.addEventListener("htmx:sendError", trouble);
document.addEventListener("htmx:responseError", trouble);

// --- Light or dark: <button data-theme-choice="light|dark|auto"> -----------------------------------------------------

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
  if (!choice) return;
  const chosen = choice === "light" || choice === "dark";
  if (chosen) document.documentElement.dataset.theme = choice;
  else delete document.documentElement.dataset.theme;
  document.cookie = `theme=${chosen ? choice : ""}; path=/; max-age=${chosen ? 31_536_000 : 0}; samesite=lax`;
  document.querySelectorAll("[data-theme-choice]").forEach((button) => {
    button.setAttribute("aria-current", String(button.dataset.themeChoice === choice));
  });
});

// --- Small helps -----------------------------------------------------------------------------------------------------

// <select data-submit> and <input type="date" data-submit> send their form when chosen; its button serves the others.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A form sent twice by an impatient thumb is sent once.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.matches("[hx-post], [hx-get], [method=dialog]")) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});

installPolling();
