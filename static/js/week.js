// My week by the arrows of the keyboard: from cell to cell inside the table, from week to week elsewhere.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (document.querySelector("dialog[open]") || event.target.closest("input, select, textarea")) return;
  const [across, down] = step;
  const row = event.target.closest(".week tbody tr");
  const next = row ? neighbour(row, event.target.closest("th, td"), across, down) : null;
  if (next) {
    event.preventDefault();
    next.focus();
  } else if (!row && across) {
    document.querySelector(`.week a[rel=${across < 0 ? "prev" : "next"}]`)?.click();
  }
});

/** The next place one can act on in that direction: closed and full cells are stepped over. */
function neighbour(row, cell, across, down) {
  let column = row.contains(cell) ? cell.cellIndex : 0;
  let line = row;
  for (;;) {
    column += across;
    if (down) line = down < 0 ? line.previousElementSibling : line.nextElementSibling;
    const place = line?.cells[column];
    if (!place) return null;
    const target = place.querySelector("a, button");
    if (target) return target;
  }
}
