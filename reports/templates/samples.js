// Cells of a map tell their numbers and lead to their samples; samples are found by filters. Everything that a model or a user wrote
// goes into the page as text, never as markup.
{
  const data = JSON.parse(document.getElementById("data").textContent);
  const STEP = 25;
  const make = (tag, words, name) => {
    const element = document.createElement(tag);
    if (words !== undefined) element.textContent = words;
    if (name) element.className = name;
    return element;
  };
  const short = (length) =>
    length % 1048576 === 0 ? `${length / 1048576}m` : length % 1024 === 0 ? `${length / 1024}k` : length > 1024 && length % 512 === 0 ? `${length / 1024}k` : `${length}`;
  const percent = (depth) => `${Math.round(depth * 1000) / 10}%`;
  const score = (value) => (value === 0 || value === 1 ? value.toFixed(2) : Math.min(Math.max(value, 0.01), 0.99).toFixed(2));
  const kindOf = (answer) => (!answer ? "missing" : (answer.error || answer.strict === null ? answer.outcome : (answer.kind ?? "right")));

  // Samples

  const form = document.getElementById("filters");
  const list = document.getElementById("list");
  const more = document.getElementById("more");
  const field = (name) => form.elements.namedItem(name); // `elements.length` is a count
  let matching = [];

  function terms(name, ...parts) {
    const term = make("dt", name);
    const definition = make("dd");
    definition.append(...parts);
    return [term, definition];
  }

  function marked(words, answers) {
    // The output with the gold answers marked where they stand.
    const element = make("pre");
    const wanted = answers.filter((answer) => answer.length > 1).map((answer) => answer.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const parts = wanted.length ? words.split(new RegExp(`(${wanted.join("|")})`, "i")) : [words];
    parts.forEach((part, i) => element.append(i % 2 ? make("mark", part) : part));
    return element;
  }

  function answered(answer, gold) {
    if (!answer) return [make("em", "nothing is stored")];
    const said = answer.output ? marked(answer.output, gold) : make("em", answer.error ? "" : "empty");
    const notes = [kindOf(answer)];
    if (answer.strict !== null) notes.push(`strict ${score(answer.strict)}`);
    if (answer.official !== undefined) notes.push(`official ${score(answer.official)}`);
    if (answer.logprob !== undefined) notes.push(`gold log-probability ${answer.logprob.toFixed(2)}`);
    if (answer.outcome === "truncated") notes.push("hit the token budget");
    return [said, ...(answer.error ? [make("pre", answer.error)] : []), make("span", notes.join(" · "), "sub")];
  }

  function fill(details, sample) {
    const body = make("dl", undefined, "failure");
    body.append(...terms("Expected", ...sample.gold.flatMap((answer, i) => [i ? ", " : "", make("q", answer)])));
    sample.runs.forEach((answer, n) => body.append(...terms(data.labels[n] ?? "Answer", ...answered(answer, sample.gold))));
    for (const [before, needle, after, start, end] of sample.needles) {
      const quote = make("blockquote");
      quote.append("… ", before, make("mark", needle), after, " …");
      const place = `tokens ${start.toLocaleString("en")} to ${end.toLocaleString("en")} of ${sample.tokens.toLocaleString("en")}`;
      body.append(...terms("Needle", quote, make("span", place, "sub")));
    }
    body.append(...terms("Key", make("code", sample.key)));
    details.append(body);
  }

  function entry(sample) {
    const details = make("details", undefined, "sample");
    const summary = make("summary");
    const where = [short(sample.length)];
    if (sample.depth !== null) where.push(`depth ${percent(sample.depth)}`);
    where.push(`sample ${sample.index}`);
    if (sample.question) where.push(`question ${sample.question}`);
    if (new Set(data.samples.map((each) => each.task)).size > 1) where.push(sample.task);
    summary.append(make("span", where.join(" · ")));
    for (const answer of sample.runs) summary.append(" ", make("span", kindOf(answer), kindOf(answer) === "right" ? "tag good" : "tag"));
    details.append(summary);
    details.addEventListener("toggle", () => details.childElementCount === 1 && fill(details, sample));
    return details;
  }

  function showMore() {
    const from = list.childElementCount;
    list.append(...matching.slice(from, from + STEP).map(entry));
    more.hidden = list.childElementCount >= matching.length;
  }

  function filter(within = 0) {
    const wanted = new FormData(form);
    const text = wanted.get("text").toLowerCase();
    const near = (depth) => (wanted.get("depth") === "none" ? depth === null : depth !== null && Math.abs(depth - wanted.get("depth")) <= within + 1e-9);
    const fits = {
      kind: (answer) => wanted.get("kind") === "" || (wanted.get("kind") === "failed" ? kindOf(answer) !== "right" : kindOf(answer) === wanted.get("kind")),
    };
    matching = data.samples.filter(
      (sample) =>
        (!wanted.get("task") || sample.task === wanted.get("task")) &&
        (!wanted.get("length") || sample.length === Number(wanted.get("length"))) &&
        (!wanted.get("depth") || near(sample.depth)) &&
        sample.runs.some(fits.kind) &&
        (!text || [...sample.gold, sample.key, ...sample.runs.map((answer) => answer?.output ?? "")].some((words) => words.toLowerCase().includes(text)))
    );
    list.replaceChildren();
    showMore();
    document.getElementById("found").textContent = `${matching.length.toLocaleString("en")} ${matching.length === 1 ? "sample" : "samples"}`;
  }

  function options(name, values, said) {
    const select = field(name);
    select.append(new Option("all", ""), ...values.map((value) => new Option(said(value), value ?? "none")));
    select.closest("label").hidden = values.length < 2;
  }

  function show(task, length, depth, within) {
    field("kind").value = "";
    field("text").value = "";
    field("task").value = task;
    field("length").value = length;
    const exact = data.samples.some((sample) => String(sample.depth) === depth);
    if (depth !== undefined && !exact) field("depth").add(new Option(percent(Number(depth)), depth));
    field("depth").value = depth ?? "";
    filter(within);
    document.getElementById("samples-h").focus();
    document.getElementById("samples").scrollIntoView();
    const first = list.querySelector("details");
    if (first) first.open = true;
  }

  if (form) {
    const each = (of) => [...new Set(data.samples.map(of))];
    const ascending = (a, b) => (a ?? -1) - (b ?? -1);
    options("task", each((sample) => sample.task), (task) => task);
    options("length", each((sample) => sample.length).sort(ascending), short);
    options("depth", each((sample) => sample.depth).sort(ascending), (depth) => (depth === null ? "set by the task" : percent(depth)));
    const kinds = [...new Set(data.samples.flatMap((sample) => sample.runs.map(kindOf)))].sort();
    options("kind", kinds.length > 1 && kinds.includes("right") ? ["failed", ...kinds] : kinds, (kind) => kind);
    form.hidden = false;
    form.addEventListener("input", () => filter());
    form.addEventListener("reset", () => setTimeout(filter));
    form.addEventListener("submit", (event) => event.preventDefault());
    more.addEventListener("click", showMore);
    filter();
  }

  // Maps: one stop of the tab key each, arrows within

  const tip = make("div", undefined, "tip");
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);

  function tell(button) {
    tip.textContent = button.getAttribute("aria-label");
    tip.hidden = false;
    const box = button.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left + box.width / 2 - tip.offsetWidth / 2), document.documentElement.clientWidth - tip.offsetWidth - 8);
    const above = box.top - tip.offsetHeight - 8;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above < 8 ? box.bottom + 8 : above) + scrollY}px`;
  }

  for (const map of document.querySelectorAll("table.map")) {
    const buttons = [...map.querySelectorAll("button")];
    if (buttons.length) buttons[0].tabIndex = 0;
    const at = (row, column) => map.rows[row]?.cells[column]?.querySelector("button");
    const found = (event) => event.target.closest("button");
    map.addEventListener("mouseover", (event) => found(event) && tell(found(event)));
    map.addEventListener("mouseleave", () => (tip.hidden = true));
    map.addEventListener("focusin", (event) => {
      for (const button of buttons) button.tabIndex = button === event.target ? 0 : -1;
      tell(event.target);
    });
    map.addEventListener("focusout", () => (tip.hidden = true));
    map.addEventListener("click", (event) => {
      const { length, depth } = found(event)?.dataset ?? {};
      if (length && form) show(map.dataset.task, length, depth, Number(map.dataset.within));
    });
    map.addEventListener("keydown", (event) => {
      const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
      if (event.key === "Escape") tip.hidden = true;
      if (!down && !right) return;
      event.preventDefault();
      let row = event.target.closest("tr").rowIndex;
      let column = event.target.closest("td").cellIndex;
      do {
        row += down;
        column += right;
      } while (map.rows[row]?.cells[column] && !at(row, column)); // over what was not planned
      at(row, column)?.focus();
    });
  }
}
