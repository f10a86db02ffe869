// Choosing a task, a length or a name: the cells of a board get the texts of that view, and rows go back to the order of its ranks.
"use strict";
function chooser(form) {
  const table = document.getElementById(`${form.dataset.board}-table`);
  const views = JSON.parse(document.getElementById(`${form.dataset.board}-data`).textContent);
  const rows = [...table.tBodies[0].rows];
  const [task, length, find] = ["task", "tokens", "find"].map((name) => form.elements[name]);
  const status = form.querySelector("[role=status]");

  function fill(row, cells) {
    for (const part of row.querySelectorAll("[data-cell]")) {
      if (part.dataset.cell === "rank") part.dataset.value = cells.place;
      if (part.dataset.cell === "reach_value") part.dataset.value = cells.reach_value;
      else part.textContent = cells[part.dataset.cell];
    }
    for (const part of row.querySelectorAll("[data-length]")) part.textContent = cells.lengths[part.dataset.length];
    const range = row.querySelector(".range");
    range.hidden = !cells.range;
    ["--low", "--mean", "--high"].forEach((name, n) => range.style.setProperty(name, cells.range?.[n] ?? 0));
  }

  function choose() {
    const cells = views[`${task?.value ?? ""}|${length.value}`];
    if (cells) {
      rows.forEach((row, n) => fill(row, cells[n]));
      table.tBodies[0].append(...cells.map(({ place }, n) => [place, rows[n]]).sort(([a], [b]) => a - b).map(([, row]) => row));
      for (const header of table.tHead.rows[0].cells) header.removeAttribute("aria-sort");
    }
    table.hidden = !cells;
    filter();
  }

  function filter() {
    const words = find.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.querySelector("th").textContent.toLowerCase().includes(word));
    const chosen = [task, length].filter(Boolean).map((select) => select.selectedOptions[0].textContent).join(", ");
    const shown = rows.filter((row) => !row.hidden).length;
    status.textContent = table.hidden ? `${chosen}: not asked.` : `${chosen}: ${shown} of ${rows.length} entries.`;
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  task?.addEventListener("change", choose);
  length.addEventListener("change", choose);
  find.addEventListener("input", filter);
  form.hidden = false;
  filter();
}

for (const form of document.querySelectorAll("form[data-board]")) chooser(form);
