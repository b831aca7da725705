"use strict";

// The gap table: a click on a title sorts, text in the box filters.
const table = document.getElementById("gap-table");
if (table) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const titles = Array.from(table.tHead.rows[0].cells);
  const compareText = new Intl.Collator(undefined, { numeric: true }).compare;

  const keyOf = (cell) => ("value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent);

  // Numbers before texts, whatever the direction: a text among numbers is no gap at all.
  const compare = (a, b, direction) => {
    if (typeof a === "number" && typeof b === "number") return direction * (a - b);
    if (typeof a === typeof b) return direction * compareText(a, b);
    return typeof a === "number" ? -1 : 1;
  };

  const sortBy = (column) => {
    const title = titles[column];
    const descending = title.getAttribute("aria-sort") === "ascending";
    for (const other of titles) other.setAttribute("aria-sort", "none");
    title.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const keyed = rows.map((row) => [keyOf(row.cells[column]), row]);
    keyed.sort((a, b) => compare(a[0], b[0], descending ? -1 : 1));
    body.append(...keyed.map(([, row]) => row));
  };

  titles.forEach((title, column) => {
    title.querySelector("button").addEventListener("click", () => sortBy(column));
  });

  const filter = document.getElementById("filter");
  const names = rows.map((row) => row.cells[0].textContent.toLowerCase());
  const statuses = rows.map((row) => row.cells[1].textContent.toLowerCase());
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => names[at].includes(word) || statuses[at].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    document.getElementById("shown").textContent = `${shown} of ${rows.length} instances`;
  };
  filter.addEventListener("input", show);
  show();
}

// A stored solution is unpacked when it is chosen, or when #solution-N is followed.
const choice = document.getElementById("choice");
if (choice) {
  const article = document.getElementById("solution");
  const heading = document.getElementById("placements");

  const unpack = (packed) => {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  const follow = async () => {
    const number = /^#solution-(\d+)$/.exec(location.hash)?.[1] ?? "";
    const packed = number && document.getElementById(`packed-${number}`);
    if (!packed) return;
    choice.value = number;
    const html = await unpack(packed.textContent);
    if (choice.value !== number) return;
    // Safe: the page's own template has escaped everything in it that came from files.
    article.innerHTML = html;
    heading.scrollIntoView();
  };

  choice.addEventListener("change", () => {
    if (choice.value) location.hash = `solution-${choice.value}`;
    else article.replaceChildren();
  });
  addEventListener("hashchange", follow);
  follow();
}
