// Suggestions while a parameter is typed in the prompt: an ARIA listbox driven from the text area.

const PARAMETERS = [
  ["--ar", "16:9", "shape, from 1:4 to 4:1"],
  ["--seed", "7", "0 to 4294967295; the same seed gives the same picture"],
  ["--no", "text, people", "what the picture shall not show"],
  ["--steps", "30", "1 to 150; more is finer and slower"],
  ["--cfg", "7.5", "0 to 30; higher follows the words more closely"],
  ["--images", "4", "1 to 4 pictures, also -n"],
  ["--model", "", "which model paints"],
  ["--fast", "", "before your own other pictures"],
  ["--relax", "", "in the time that others leave; may take ten times as long"],
];

/** Connects the text area and the list. */
export function attachHints(area, list) {
  let shown = [];
  let active = 0;
  let start = 0;

  const close = () => {
    shown = [];
    list.hidden = true;
    area.setAttribute("aria-expanded", "false");
    area.removeAttribute("aria-activedescendant");
  };

  const mark = () => {
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
    area.setAttribute("aria-activedescendant", `hint-${active}`);
  };

  const accept = (index) => {
    const [name, example] = shown[index];
    const insert = `${name} ${example}`;
    area.setRangeText(insert, start, area.selectionEnd, "end");
    // The example is selected, so that typing replaces it.
    area.setSelectionRange(start + name.length + 1, start + insert.length);
    area.focus();
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const update = () => {
    const before = area.value.slice(0, area.selectionEnd);
    const typed = /(?:^|\s)((?:--|—|–)([a-z]*))$/i.exec(before);
    if (!typed || area.selectionStart !== area.selectionEnd) return close();
    start = before.length - typed[1].length;
    const used = (name) => new RegExp(`(^|\\s)${name}(\\s|=)`).test(area.value);
    shown = PARAMETERS.filter(([name]) => name.slice(2).startsWith(typed[2].toLowerCase()) && !used(name));
    if (!shown.length) return close();
    active = 0;
    list.replaceChildren(
      ...shown.map(([name, example, help], i) => {
        const item = document.createElement("li");
        item.id = `hint-${i}`;
        item.setAttribute("role", "option");
        const code = document.createElement("code");
        code.textContent = `${name} ${example}`.trim();
        const small = document.createElement("small");
        small.textContent = help;
        item.append(code, small);
        item.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          accept(i);
        });
        return item;
      }),
    );
    list.hidden = false;
    area.setAttribute("aria-expanded", "true");
    mark();
  };

  area.addEventListener("input", (event) => event.isTrusted && update());
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (!shown.length || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      active = (active + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % shown.length;
      mark();
    } else if (event.key === "Enter" || event.key === "Tab") {
      accept(active);
    } else if (event.key === "Escape") {
      close();
    } else {
      return;
    }
    event.preventDefault();
  });
}
