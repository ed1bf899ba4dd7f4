"use strict";
// All that moves on the page. Without it every text, figure and table is still there.

// The theme follows the system until the button is pressed.
{
  const root = document.documentElement;
  const button = document.querySelector("button.theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* kept for this visit only */ }
    label();
  });
  system.addEventListener("change", label);
  label();
  button.hidden = false;
}

// The contents mark the section that is being read.
{
  const nav = document.querySelector("nav.contents");
  const links = [...nav.querySelectorAll("a")];
  const headings = links.map((link) => document.getElementById(link.hash.slice(1)));
  let marked = null;
  const follow = () => {
    const tops = headings.map((heading) => heading.getBoundingClientRect().top);
    const passed = tops.filter((top) => top < innerHeight / 4).length;
    const atTheEnd = scrollY + innerHeight > document.documentElement.scrollHeight - 2;
    // The next heading may already be near: what was jumped to goes before it while it is on top, or the page ends.
    const aim = links.findIndex((link) => link.hash === location.hash);
    const jumped = tops[aim] >= 0 && tops[aim] < innerHeight / (atTheEnd ? 1 : 4);
    const current = links[jumped ? aim : passed - 1] ?? null;
    if (current === marked) return;
    marked?.removeAttribute("aria-current");
    current?.setAttribute("aria-current", "true");
    marked = current;
    if (current && getComputedStyle(nav).position === "sticky") {
      nav.scrollTop = current.offsetTop - nav.clientHeight / 2;
    }
  };
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; follow(); });
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("hashchange", soon);
  follow();
}

// What scrolls sideways can be reached with the keyboard, and shows that it goes on.
{
  const mark = (box) => box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
  const boxes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
      mark(target);
    }
  });
  for (const box of document.querySelectorAll(".scroll, pre")) {
    boxes.observe(box);
    box.addEventListener("scroll", () => mark(box), { passive: true });
  }
}

// A click on a heading of a sortable table sorts its rows; a second click turns the order round. Cells without a value
// stay last. "0.15 M" is more than "21 k"; section 2.10 comes after 2.9.
const asNumber = (text) => {
  const [, number, unit] = text.match(/^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s?([kM]\b)?/) ?? [];
  return Number(number ?? NaN) * ({ k: 1e3, M: 1e6 }[unit] ?? 1);
};
const inOrder = (x, y, sections) => {
  const [a, b] = sections ? [NaN, NaN] : [asNumber(x), asNumber(y)];
  if (isNaN(a) !== isNaN(b)) return isNaN(a) ? 1 : -1;
  return isNaN(a) ? x.localeCompare(y, "en", { numeric: true }) : a - b;
};
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const ascending = heading.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const body = table.tBodies[0];
      const sections = ["section", "where"].includes(heading.textContent);
      const value = (row) => row.cells[column].textContent.trim().replaceAll(",", "").replaceAll("−", "-");
      const without = (row) => ["", "–", "—", "-"].includes(value(row));
      const [empty, filled] = [[...body.rows].filter(without), [...body.rows].filter((row) => !without(row))];
      filled.sort((a, b) => (ascending ? 1 : -1) * inOrder(value(a), value(b), sections));
      body.append(...filled, ...empty);
    });
  });
}

// Images to compare: "after" lies over another view as far as the slider says; a lens shows one place of all views.
const choice = (text, options) => {
  const label = document.createElement("label");
  const select = document.createElement("select");
  select.append(...options.map(([name, value]) => new Option(name, value)));
  label.append(`${text} `, select);
  return [label, select];
};
for (const figure of document.querySelectorAll("figure.compare")) {
  const stage = figure.querySelector(".views");
  const views = [...stage.querySelectorAll(".view")];
  const after = views.find((view) => view.dataset.title === "after");
  const others = views.filter((view) => view !== after);

  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: 100, value: 50 });
  slider.setAttribute("aria-label", "Where “after” begins, in per cent of the width");
  const [left, which] = choice("Left of the line", others.map((view) => [view.dataset.title, view.dataset.title]));
  const [lens, times] = choice("Lens", [["off", 0], ["1:1", 1], ["2:1", 2], ["4:1", 4]]);
  const glass = document.createElement("div");
  glass.className = "glass";
  glass.hidden = true;
  const panes = views.map((view) => {
    const pane = document.createElement("div");
    const title = document.createElement("span");
    title.textContent = view.dataset.title;
    pane.append(title, document.createElement("canvas"));
    glass.append(pane);
    return pane.querySelector("canvas");
  });
  const controls = document.createElement("div");
  controls.className = "controls";
  controls.append(slider, left, lens);
  stage.after(controls, glass);
  stage.style.maxWidth = controls.style.maxWidth = `${after.querySelector("img").getAttribute("width")}px`;
  figure.classList.add("live");

  const split = () => stage.style.setProperty("--split", `${slider.value}%`);
  const choose = () => others.forEach((view) => view.classList.toggle("behind", view.dataset.title === which.value));
  const place = { x: 0.5, y: 0.5 }; // what the lens is on, as shares of width and height
  const look = () => {
    const zoom = Number(times.value);
    glass.hidden = zoom === 0;
    stage.classList.toggle("lens", zoom > 0);
    if (zoom === 0) { stage.removeAttribute("tabindex"); stage.removeAttribute("role"); return; }
    Object.assign(stage, { tabIndex: 0, role: "group" });
    stage.setAttribute("aria-label", "Arrow keys move the lens");
    stage.style.setProperty("--x", `${100 * place.x}%`);
    stage.style.setProperty("--y", `${100 * place.y}%`);
    panes.forEach((pane, number) => {
      const image = views[number].querySelector("img");
      [pane.width, pane.height] = [pane.clientWidth, pane.clientHeight];
      const [wide, high] = [pane.width / zoom, pane.height / zoom];
      const context = pane.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(
        image, Math.round(place.x * image.naturalWidth - wide / 2), Math.round(place.y * image.naturalHeight - high / 2),
        wide, high, 0, 0, pane.width, pane.height,
      );
    });
  };
  const move = (x, y) => {
    Object.assign(place, { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) });
    look();
  };
  slider.addEventListener("input", split);
  which.addEventListener("change", choose);
  times.addEventListener("change", look);
  const point = (event) => {
    const box = stage.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    if (stage.classList.contains("lens")) move(x, y);
    else if (event.buttons) { slider.value = 100 * x; split(); }
  };
  stage.addEventListener("pointerdown", point);
  stage.addEventListener("pointermove", point);
  stage.addEventListener("dragstart", (event) => event.preventDefault());
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key];
    if (!step || !stage.classList.contains("lens")) return;
    event.preventDefault();
    move(place.x + step[0], place.y + step[1]);
  });
  new ResizeObserver(look).observe(glass);
  split();
  choose();
}
