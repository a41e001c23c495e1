// Reads the sandbox with Meta's own client for Node, unchanged, and compares what it read with the truth. Run by
// clients_test.py, in the environment that `shaduf sandbox -- ...` gives. The client asks the URL of a property of its
// class, which is set here.
const sdk = require('facebook-nodejs-business-sdk');

const SINCE = '2026-10-20';
const UNTIL = '2026-11-21';
const FIELDS = ['ad_id', 'impressions', 'clicks', 'inline_link_clicks', 'reach', 'spend'];
const KEYS = ['ad_id', 'date_start', 'impressions', 'clicks', 'inline_link_clicks', 'reach', 'spend'];

function fail(message) {
  console.error(message);
  process.exit(1);
}

async function truth(stream) {
  const answer = await fetch(
    `${process.env.SANDBOX_URL}/_sandbox/truth/facebook_ads/${stream}.csv?since=${SINCE}&until=${UNTIL}`);
  const [names, ...rows] = (await answer.text()).trim().split('\n').map((line) => line.split(','));
  return rows.map((values) => Object.fromEntries(values.map((value, i) => [names[i], value])));
}

function lines(rows, names) {
  const text = (row, name) => (name === 'spend' ? Number(row[name]).toFixed(6) : String(row[name] ?? ''));
  return rows.map((row) => names.map((name) => text(row, name)).join('|')).sort();
}

function check(what, found, expected) {
  const differing = expected.findIndex((line, i) => line !== found[i]);
  if (found.length !== expected.length || differing >= 0) {
    fail(`${what}: ${found.length} rows, expected ${expected.length}; found ${found[differing]}, ` +
         `expected ${expected[differing]}`);
  }
  console.log(`${what}: ${found.length} rows, as the truth has them`);
}

// All rows behind a cursor of the client.
async function all(cursor) {
  const rows = [...cursor];
  while (cursor.hasNext()) rows.push(...await cursor.next());
  return rows.map((row) => row._data);
}

async function report(account, parameters) {
  let run = await account.getInsightsAsync(FIELDS, parameters);
  for (let look = 0; look < 100; ++look) {
    run = await run.get();
    if (run.async_status === 'Job Completed' && run.async_percent_completion === 100) {
      return all(await run.getInsights([], {limit: 100}));
    }
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return fail('the report is not made');
}

async function main() {
  Object.defineProperty(sdk.FacebookAdsApi, 'GRAPH', {get: () => process.env.FB_URL});
  sdk.FacebookAdsApi.init(process.env.FB_TOKEN);
  const accounts = await all(await new sdk.User('me').getAdAccounts(['name', 'currency', 'timezone_name'], {limit: 2}));
  const names = ['id', 'name', 'currency', 'timezone_name'];
  check('ad accounts', lines(accounts, names), lines(await truth('accounts'), names));

  const now = [];
  const later = [];
  const daily = {level: 'ad', time_increment: 1, time_range: {since: SINCE, until: UNTIL}, limit: 50};
  for (const found of accounts) {
    const account = new sdk.AdAccount(found.id);
    now.push(...await all(await account.getInsights(FIELDS, daily)));
    later.push(...await report(account, daily));
  }
  check('insights', lines(now, KEYS), lines(await truth('ad_insights'), KEYS));
  check('insights of reports', lines(later, KEYS), lines(await truth('ad_insights'), KEYS));

  try {
    await new sdk.AdAccount(accounts[0].id).getInsights(['imprssions'], {});
    fail('a wrong field was taken');
  } catch (error) {
    if (!String(error.message).includes('imprssions')) fail(`a wrong field: ${error.message}`);
  }
}

main().catch((error) => fail(error.stack));
