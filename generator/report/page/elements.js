const SVG = 'http://www.w3.org/2000/svg';
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a string among the children is text. */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, setting] of Object.entries(attributes)) if (setting !== null) made.setAttribute(key, setting);
  made.append(...children);
  return made;
}

/** A link to the page with part of its state changed; what it changes is worked out when it is followed. */
function link(change, ...children) {
  const made = element('a', { href: written({ ...state, ...change }) }, ...children);
  made.addEventListener('click', (event) => follow(event, change));
  return made;
}

function follow(event, change) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(change);
}

const narrowed = (filters, q = '') => ({ q, filters, page: 1, client: '', reveal: 'grants' });

/** A path or the like, which may be broken after each slash. */
function code(shown) {
  return element('code', {}, ...shown.split(/(?<=\/)(?=..)/).flatMap((part, at) => (at ? [element('wbr'), part] : [part])));
}

function cellContent(row, column) {
  const shown = text(row, column.name);
  const raw = value(row, column.name);
  if (raw === null || raw === '') return element('span', { class: 'empty' }, shown);
  if (column.kind === 'mark') return element('span', { class: `mark ${shown}` }, shown);
  return column.kind === 'code' ? code(shown) : shown;
}
