/** The little that is needed to draw: elements, and parts of the page that change only when they must. */

/** An element with properties, attributes (`role`, `aria-…`, `data-…`) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (/^(role|aria-|data-)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

const drawn = new WeakMap();

/**
 * Puts children in the place of those before, if what they show has changed: a button does not lose its focus,
 * and a screen reader reads nothing out, because of news from somewhere else.
 */
export function redraw(element, shown, children) {
  const text = JSON.stringify(shown);
  if (drawn.get(element) === text) return;
  drawn.set(element, text);
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  element.replaceChildren(...children());
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

/** Sets a text where it differs. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A disc with initials. */
export function disc(name, kind) {
  const words = name.split(/[\s-]+/).filter(Boolean);
  const initials = words.slice(0, 2).map((word) => word[0].toUpperCase()).join("");
  return make("span", { className: `disc ${kind}`, textContent: initials, "aria-hidden": "true" });
}
