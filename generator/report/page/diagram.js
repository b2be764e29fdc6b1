// Boxes in columns, joined by curves: drawn from values, with text for every shape and nothing told by colour alone.
const ROW = 34;
const BOX = 24;

function shortened(label, most) {
  if (label.length <= most) return label;
  const tail = Math.floor(most * 0.6);
  return `${label.slice(0, most - tail - 1)}…${label.slice(-tail)}`;
}

/**
 * A diagram of boxes and what joins them.
 *
 * nodes: {id, column, row, label, kind, change}; kind is a class, change what a click does, if anything.
 * edges: {from, to, kind}. columns: {x, width} of each.
 */
function diagram(nodes, edges, places, name) {
  const rows = Math.max(...nodes.map((node) => node.row)) + 1;
  const last = places.at(-1);
  const width = last.x + last.width + 2;
  const height = rows * ROW + 8;
  const picture = drawn('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'group', 'aria-label': name });
  const at = new Map(nodes.map((node) => [node.id, node]));
  const middle = (node) => 4 + node.row * ROW + ROW / 2;
  for (const { from, to, kind } of edges) {
    const [a, b] = [at.get(from), at.get(to)];
    const [x1, x2] = [places[a.column].x + places[a.column].width, places[b.column].x];
    const bend = (x2 - x1) / 2;
    picture.append(drawn('path', {
      class: `edge ${kind}`, 'aria-hidden': 'true',
      d: `M${x1} ${middle(a)}C${x1 + bend} ${middle(a)} ${x2 - bend} ${middle(b)} ${x2} ${middle(b)}`,
    }));
  }
  for (const node of nodes) picture.append(box(node, places[node.column], middle(node)));
  return picture;
}

function box(node, place, y) {
  const label = drawn('text', { x: place.x + 10, y: y + 4 }, shortened(node.label, Math.floor((place.width - 20) / 7.3)));
  const shape = drawn('rect', { x: place.x, y: y - BOX / 2, width: place.width, height: BOX, rx: node.kind === 'other' ? 0 : 6 });
  const group = drawn(node.change ? 'a' : 'g', { class: `box ${node.kind}` }, drawn('title', {}, node.label), shape, label);
  if (node.change) {
    group.setAttribute('href', written({ ...state, ...node.change }));
    group.addEventListener('click', (event) => follow(event, node.change));
  }
  return group;
}

/** One bar a line, with its words beside it: for numbers too great to draw each of. */
function bars(lines, name) {
  const most = Math.max(...lines.map((line) => line.count));
  const list = element('ol', { class: 'bars', 'aria-label': name });
  for (const { label, words, count, change } of lines) {
    const bar = drawn('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      drawn('rect', { class: 'track', width: 100, height: 10 }),
      drawn('rect', { class: 'bar', width: Math.max(0.5, (count / most) * 100), height: 10 }));
    const named = change ? link(change, element('code', {}, label)) : element('code', {}, label);
    list.append(element('li', {}, named, bar, element('span', {}, words)));
  }
  return list;
}
