"""dlt_insights_peer.py SINCE UNTIL FIELDS WINDOWS ACCOUNT...: insights into w.duckdb, by dlt's rest_api source."""
import json
import os
import sys

import dlt
from dlt.sources.rest_api import rest_api_source

since, until, fields, windows, *accounts = sys.argv[1:]
parameters = {"level": "ad", "time_increment": 1, "limit": 500, "fields": fields,
              "time_range": f'{{{{"since":"{since}","until":"{until}"}}}}',  # doubled: dlt reads templates in it
              "action_attribution_windows": json.dumps(windows.split(","))}
source = rest_api_source({
    "client": {"base_url": f"{os.environ['FB_URL']}/v26.0/",
               "auth": {"type": "bearer", "token": os.environ["FB_TOKEN"]},
               "paginator": {"type": "json_link", "next_url_path": "paging.next"}},
    "resources": [{"name": f"insights_{account}", "table_name": "ad_insights",
                   "endpoint": {"path": f"act_{account}/insights", "params": parameters, "data_selector": "data"}}
                  for account in accounts]})
source.max_table_nesting = 0  # lists of actions stay JSON, as in the other tables
pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb("w.duckdb"), dataset_name="bench",
                        pipelines_dir="state")
pipeline.run(source, write_disposition="append")
