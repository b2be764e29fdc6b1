// What the address says after its `#`, so that a link shows another reader the same.
const initial = () => ({ q: '', filters: {}, sort: '', descending: false, page: 1, client: '', columns: null, drawn: '' });

function read(hash) {
  const state = initial();
  const said = new URLSearchParams(hash.replace(/^#/, ''));
  state.q = said.get('q') ?? '';
  for (const name of FILTERS) if (said.has(name)) state.filters[name] = said.get(name);
  const sort = said.get('sort') ?? '';
  if (columnOf.has(sort.replace(/^-/, ''))) {
    state.descending = sort.startsWith('-');
    state.sort = sort.replace(/^-/, '');
  }
  state.page = Math.max(1, Math.trunc(Number(said.get('page'))) || 1);
  state.client = said.get('client') ?? '';
  if (said.has('columns')) {
    const names = said.get('columns').split(',');
    state.columns = columns.map((column) => column.name).filter((name) => name === 'client' || names.includes(name));
  }
  state.drawn = said.get('drawn') ?? '';
  return state;
}

function written(state) {
  const said = new URLSearchParams();
  if (state.q) said.set('q', state.q);
  for (const [name, wanted] of Object.entries(state.filters)) said.set(name, wanted);
  if (state.sort) said.set('sort', (state.descending ? '-' : '') + state.sort);
  if (state.page > 1) said.set('page', state.page);
  if (state.client) said.set('client', state.client);
  if (state.columns) said.set('columns', state.columns.join(','));
  if (state.drawn) said.set('drawn', state.drawn);
  return `#${said}`;
}

// A link within the page, such as the skip link's, says nothing about what is shown.
const says = (hash) => hash.length < 2 || hash.includes('=');
