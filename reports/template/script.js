// A click on a heading of a sortable table sorts its rows; a second click turns the order round.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const ascending = heading.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const body = table.tBodies[0];
      const value = (row) => row.cells[column].textContent.trim().replaceAll(",", "");
      const compare = (a, b) => {
        const [x, y] = [value(a), value(b)];
        return isNaN(parseFloat(x)) || isNaN(parseFloat(y)) ? x.localeCompare(y, "en", { numeric: true }) : parseFloat(x) - parseFloat(y);
      };
      body.append(...[...body.rows].sort((a, b) => (ascending ? compare(a, b) : compare(b, a))));
    });
  });
}
