// <button data-copy="id of a field" data-said="Copied" hidden>: without scripts the field is selected and copied by hand.

import { say } from "./app.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  field.addEventListener("focus", () => field.select());
  if (!navigator.clipboard) continue; // only on https and on this machine
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value).catch(() => field.select());
    button.querySelector("span").textContent = button.dataset.said;
    say(button.dataset.said);
  });
}
