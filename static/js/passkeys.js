// <form data-passkey="create|get" data-options="address" hidden>: a passkey is made or asked for when the form is sent, and its
// answer goes with the form, as JSON in the input named "answer". Without scripts, or in a browser without passkeys, the form
// stays hidden and [data-no-passkey] says what else to do.

import { say } from "./app.js";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** What the server sent, with bytes where the browser wants them. */
function options(sent) {
  const read = { ...sent, challenge: bytes(sent.challenge) };
  for (const name of ["excludeCredentials", "allowCredentials"]) {
    if (sent[name]) read[name] = sent[name].map((one) => ({ ...one, id: bytes(one.id) }));
  }
  if (sent.user) read.user = { ...sent.user, id: bytes(sent.user.id) };
  return read;
}

/** The browser's answer with text where it has bytes. */
function answer(credential) {
  const { id, rawId, type, authenticatorAttachment, response } = credential;
  const said = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) said[name] = text(response[name]);
  }
  return JSON.stringify({ id, rawId: text(rawId), type, authenticatorAttachment, response: said });
}

async function ask(form) {
  const sent = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
  if (!sent.ok || sent.redirected) return location.reload(); // signed out meanwhile, or to be proved once more
  const publicKey = options(await sent.json());
  const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
  form.elements.answer.value = answer(credential);
  const remember = document.querySelector("form:not([data-passkey]) [name=remember]");
  if (remember && form.elements.remember) form.elements.remember.disabled = !remember.checked;
  form.submit();
}

if (window.PublicKeyCredential && navigator.credentials) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    const trouble = form.querySelector("[data-trouble]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      trouble.hidden = true;
      ask(form).catch((error) => {
        // Closed by the person, none on this device, or one that is there already: the browser does not tell which.
        const words = error.name === "InvalidStateError" ? trouble.dataset.known : trouble.dataset.none;
        trouble.lastElementChild.textContent = words;
        trouble.hidden = false;
        say(words);
      });
    });
  }
  for (const other of document.querySelectorAll("[data-no-passkey]")) other.hidden = true;
}
