let state = read(says(location.hash) ? location.hash : '');
let rows = [];
let drawnAccount = null;

function show() {
  rows = select(state);
  showTable(rows);
  if (byId('search').value !== state.q) byId('search').value = state.q;
  for (const name of FILTERS) {
    const box = document.querySelector(`[data-filter=${name}]`);
    const wanted = name in state.filters ? `=${state.filters[name]}` : '';
    // A link may name what this tree does not have; the box must say so all the same.
    if (![...box.options].some((option) => option.value === wanted)) box.add(new Option(state.filters[name], wanted));
    box.value = wanted;
  }
  const shown = new Set(visibleColumns(state).map((column) => column.name));
  for (const box of document.querySelectorAll('#columns input')) box.checked = shown.has(box.value);
  byId('clear').disabled = !state.q && !Object.keys(state.filters).length && !state.sort;
  if (allRows.length) {
    const wanted = [state.drawn, state.filters.account_id, remarkable];
    const account = wanted.find((each) => rowsByAccount.has(each));
    if (account !== drawnAccount) showAccount(account);
    drawnAccount = account;
    byId('drawn').value = account;
  }
  showClient(state.client);
}

/** Change the state and the address with it. Opening a client or drawing an account can be gone back from. */
function go({ reveal, refocus, ...change }) {
  const step = 'client' in change && change.client !== state.client;
  state = { ...state, ...change };
  history[step ? 'pushState' : 'replaceState'](null, '', written(state));
  show();
  if (refocus) document.querySelector(`button[data-column=${refocus}]`)?.focus();
  if (reveal) {
    byId(reveal).scrollIntoView();
    byId(reveal).focus({ preventScroll: true });
  }
}

function fillFilters() {
  for (const name of FILTERS) {
    const box = document.querySelector(`[data-filter=${name}]`);
    const found = distinct(allRows, name).sort();
    const label = (each) => (name === 'account_id' ? accountLabel(each) : each || columnOf.get(name).empty);
    box.append(new Option('all', ''), ...found.map((each) => new Option(label(each), `=${each}`)));
    box.addEventListener('change', () => {
      const filters = { ...state.filters };
      if (box.value) filters[name] = box.value.slice(1);
      else delete filters[name];
      go({ filters, page: 1 });
    });
  }
  for (const account of rowsByAccount.keys()) {
    const clients = size(rowsByAccount.get(account), 'client');
    byId('drawn').append(new Option(`${accountLabel(account)} (${counted(clients, 'client')})`, account));
  }
  byId('drawn').addEventListener('change', () => go({ drawn: byId('drawn').value }));
}

function fillColumns() {
  const choices = byId('columns').querySelector('fieldset');
  const chosen = (names) => go({ columns: columns.filter((column) => names(column)).map((column) => column.name) });
  for (const column of columns) {
    const box = element('input', { type: 'checkbox', value: column.name, ...(column.name === 'client' ? { disabled: '' } : {}) });
    box.addEventListener('change', () => chosen(({ name }) => choices.querySelector(`[value=${name}]`).checked));
    choices.append(element('label', {}, box, ' ', column.label));
  }
  const all = element('button', { type: 'button' }, 'All');
  all.addEventListener('click', () => chosen(() => true));
  const usual = element('button', { type: 'button' }, 'The usual');
  usual.addEventListener('click', () => go({ columns: null }));
  choices.append(element('p', {}, all, ' ', usual));
}

function listen() {
  byId('search').addEventListener('input', () => go({ q: byId('search').value, page: 1 }));
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('clear').addEventListener('click', () => {
    go({ q: '', filters: {}, sort: '', descending: false, page: 1 });
    byId('search').focus();
  });
  byId('pager').addEventListener('click', (event) => {
    const last = pages(rows);
    const now = Math.min(state.page, last);
    const page = { first: 1, previous: now - 1, next: now + 1, last }[event.target.dataset.step];
    if (page) go({ page });
  });
  byId('client').addEventListener('close', () => {
    const { client } = state;
    if (!client) return;
    go({ client: '' });
    // The row that opened it was made anew, so the browser has nothing to give the focus back to.
    [...document.querySelectorAll('#rows th a')].find((opener) => opener.textContent === client)?.focus();
  });
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest('input, select, textarea, dialog');
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    byId('search').focus();
    byId('search').select();
  });
  addEventListener('popstate', () => {
    if (!says(location.hash)) return;
    state = read(location.hash);
    show();
  });
  const printing = matchMedia('print');
  printing.addEventListener('change', () => (printing.matches ? showForPrint(rows) : showTable(rows)));
  addEventListener('beforeprint', () => showForPrint(rows));
  addEventListener('afterprint', () => showTable(rows));
}

fillFilters();
fillColumns();
listen();
showShared();
for (const hidden of document.querySelectorAll('.script')) hidden.hidden = false;
show();
setTimeout(searchable); // so that the first key waits no longer than the others
