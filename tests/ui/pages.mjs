// Every page by name, with what its address needs; shots and tests of accessibility go over the same list.
export const kPages = [
  { name: "home", path: "/" },
  { name: "runs", path: "/runs" },
  { name: "run", path: "/runs/{run:facebook_ads:failed}" },
  { name: "run_big", path: "/runs/{run:daily:running}" },
  { name: "connections", path: "/connections" },
  { name: "connection_new", path: "/connections/new" },
  { name: "connection_form", path: "/connections/new?type=rest" },
  { name: "connection", path: "/connections/shop" },
  { name: "connection_streams", path: "/connections/shop?tab=streams" },
  { name: "pipelines", path: "/pipelines" },
  { name: "flows", path: "/pipelines?tab=flows" },
  { name: "pipeline", path: "/pipelines/facebook_ads" },
  { name: "pipeline_yaml", path: "/pipelines/facebook_ads?tab=yaml" },
  { name: "flow", path: "/flows/daily" },
  { name: "data", path: "/data" },
  { name: "table", path: "/data/raw_shop/orders" },
  { name: "table_profile", path: "/data/raw_shop/orders?tab=profile" },
  { name: "table_sample", path: "/data/raw_shop/orders?tab=sample" },
  { name: "sql", path: "/data/sql?sql=select%20*%20from%20core.fct_revenue&run=1" },
  { name: "lineage", path: "/lineage" },
  { name: "lineage_list", path: "/lineage?view=list&select=%2Bcore.fct_revenue%2B1" },
  { name: "quality", path: "/quality" },
  { name: "quarantine", path: "/quality/quarantine" },
  { name: "anomalies", path: "/quality/anomalies" },
  { name: "settings", path: "/settings" },
  { name: "settings_audit", path: "/settings?tab=audit" },
  { name: "settings_alerts", path: "/settings?tab=alerts" },
  { name: "settings_alert", path: "/settings?tab=alerts&alert=a1" },
  { name: "settings_users", path: "/settings?tab=users" },
];

// Fills in the id of the newest run of a flow in a state.
export async function pathOf(page, base, scenario) {
  const match = /\{run:(\w+):(\w+)\}/.exec(page.path);
  if (!match) return page.path;
  const answer = await fetch(`${base}/api/v1/runs?flow=${match[1]}&state=${match[2]}`, { headers: { cookie: `mock=${scenario}` } });
  const id = answer.ok ? ((await answer.json()).items[0]?.id ?? "gone") : "gone";
  return page.path.replace(match[0], id);
}
