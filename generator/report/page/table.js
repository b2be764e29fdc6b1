const PAGE = 100;

const visibleColumns = (state) =>
  columns.filter((column) => (state.columns ? state.columns.includes(column.name) : column.shown));

function heading(column) {
  const sorted = state.sort === column.name;
  const button = element('button', { type: 'button' }, column.label, element('span', { class: 'arrow', 'aria-hidden': 'true' }));
  button.addEventListener('click', () => {
    go({ sort: column.name, descending: sorted && !state.descending, page: 1, refocus: column.name });
  });
  button.dataset.column = column.name;
  const direction = sorted ? (state.descending ? 'descending' : 'ascending') : 'none';
  return element('th', { scope: 'col', 'aria-sort': direction, class: `${column.kind} ${column.name}` }, button);
}

function tableRow(row, shown, before) {
  const again = before !== undefined && value(before, 'client') === value(row, 'client');
  const made = element('tr', { class: again ? 'again' : null });
  for (const column of shown) {
    if (column.name === 'client') {
      const client = value(row, 'client');
      made.append(element('th', { scope: 'row' }, link({ client }, client)));
    } else {
      made.append(element('td', { class: `${column.kind} ${column.name}` }, cellContent(row, column)));
    }
  }
  return made;
}

const pages = (rows) => Math.max(1, Math.ceil(rows.length / PAGE));

function fillRows(rows, from, to) {
  const shown = visibleColumns(state);
  byId('rows').replaceChildren(...rows.slice(from, to).map((row, at, slice) => tableRow(row, shown, slice[at - 1])));
}

function showTable(rows) {
  const shown = visibleColumns(state);
  byId('headings').replaceChildren(...shown.map(heading));
  byId('print-heading').colSpan = shown.length;
  const last = pages(rows);
  const page = Math.min(state.page, last);
  fillRows(rows, (page - 1) * PAGE, page * PAGE);
  byId('count').textContent = rows.length
    ? `${number(rows.length)} of ${counted(allRows.length, 'grant')}, ${counted(size(rows, 'client'), 'client')} in ${counted(size(rows, 'account_id'), 'account')}`
    : `None of ${counted(allRows.length, 'grant')} has all that`;
  byId('page-number').textContent = `Page ${number(page)} of ${number(last)}`;
  byId('pager').hidden = last === 1;
  for (const button of byId('pager').querySelectorAll('button')) {
    const back = button.dataset.step === 'first' || button.dataset.step === 'previous';
    button.disabled = back ? page === 1 : page === last;
  }
}

/** All rows that the filters leave, up to the stated number, and what they are, for the printer. */
function showForPrint(rows) {
  const most = source.printed;
  fillRows(rows, 0, most);
  const asked = [
    state.q && `search “${state.q}”`,
    ...Object.entries(state.filters).map(([name, wanted]) => `${columnOf.get(name).label} ${wanted || columnOf.get(name).empty}`),
  ].filter(Boolean);
  const which = rows.length > most ? `The first ${number(most)} of ${counted(rows.length, 'grant')}` : counted(rows.length, 'grant');
  byId('print-what').textContent = `${which}${asked.length ? `; ${asked.join(', ')}` : ''}.`;
}
