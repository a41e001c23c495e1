#!/usr/bin/env python3
"""Reads the sandbox with Meta's own Python client, unchanged, and compares what it read with the truth.

Run by clients_test.py, in the environment that `shaduf sandbox -- ...` gives. The client asks the URL of its session
class, which a session class of one's own may say.
"""
import csv
import io
import os
import sys
import time
import urllib.request

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

SINCE, UNTIL = "2026-10-20", "2026-11-21"
NUMBERS = ["impressions", "clicks", "inline_link_clicks", "reach", "spend"]
FIELDS = ["account_id", "campaign_id", "adset_id", "ad_id", *NUMBERS]
KEYS = ["ad_id", "date_start", *NUMBERS]
BY_COUNTRY = [*KEYS, "country"]
STATUSES = ["ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "CAMPAIGN_PAUSED", "ADSET_PAUSED"]


class SandboxSession(FacebookSession):
    GRAPH = os.environ["FB_URL"]


def truth(stream):
    url = f"{os.environ['SANDBOX_URL']}/_sandbox/truth/facebook_ads/{stream}.csv?since={SINCE}&until={UNTIL}"
    with urllib.request.urlopen(url) as answer:
        return list(csv.DictReader(io.StringIO(answer.read().decode("utf-8"))))


def lines(rows, names):
    def text(row, name):
        value = row.get(name, "") or ""
        return f"{float(value):.6f}" if name == "spend" else str(value)

    return sorted("|".join(text(row, name) for name in names) for row in rows)


def check(what, found, expected):
    if found != expected:
        missing = [line for line in expected if line not in found][:3]
        surplus = [line for line in found if line not in expected][:3]
        sys.exit(f"{what}: {len(found)} rows, expected {len(expected)}; missing {missing}, not in the truth {surplus}")
    print(f"{what}: {len(found)} rows, as the truth has them")


def of_report(account, parameters):
    """The rows of a report that the API makes in the background."""
    run = account.get_insights_async(fields=FIELDS, params=parameters)
    for _ in range(100):
        run = run.api_get()
        if run[AdReportRun.Field.async_status] == "Job Completed" and run["async_percent_completion"] == 100:
            return list(run.get_insights(params={"limit": 100}))
        time.sleep(0.02)
    return sys.exit("the report is not made")


def main():
    session = SandboxSession(os.environ["FB_APP_ID"], os.environ["FB_APP_SECRET"], os.environ["FB_TOKEN"])
    FacebookAdsApi.set_default_api(FacebookAdsApi(session))
    accounts = list(User(fbid="me").get_ad_accounts(fields=["name", "currency", "timezone_name"], params={"limit": 2}))
    names = ["id", "name", "currency", "timezone_name"]
    check("ad accounts", lines(accounts, names), lines(truth("accounts"), names))

    everything = {"effective_status": STATUSES, "limit": 7}
    campaigns, ads, now, later, by_country = [], [], [], [], []
    for account in (AdAccount(found["id"]) for found in accounts):
        campaigns += account.get_campaigns(fields=["name", "effective_status"], params=everything)
        ads += account.get_ads(fields=["name", "adset_id", "campaign_id", "effective_status"], params=everything)
        daily = {"level": "ad", "time_increment": 1, "time_range": {"since": SINCE, "until": UNTIL}, "limit": 50}
        now += account.get_insights(fields=FIELDS, params=daily)
        later += of_report(account, daily)
        by_country += account.get_insights(fields=FIELDS, params={**daily, "breakdowns": ["country"], "limit": 500})
    names = ["id", "name", "effective_status"]
    check("campaigns", lines(campaigns, names), lines(truth("campaigns"), names))
    names = ["id", "name", "adset_id", "campaign_id", "effective_status"]
    check("ads", lines(ads, names), lines(truth("ads"), names))
    check("insights", lines(now, KEYS), lines(truth("ad_insights"), KEYS))
    check("insights of reports", lines(later, KEYS), lines(truth("ad_insights"), KEYS))
    check("insights by country", lines(by_country, BY_COUNTRY), lines(truth("ad_insights_country"), BY_COUNTRY))

    batch = FacebookAdsApi.get_default_api().new_batch()
    answers = []
    for found in accounts:
        account = AdAccount(found["id"])
        account.api_get(fields=["currency"], batch=batch, success=lambda answer: answers.append(answer.json()))
    batch.execute()
    check("a batch", lines(answers, ["currency"]), lines(truth("accounts"), ["currency"]))

    try:
        AdAccount(accounts[0]["id"]).get_insights(fields=["imprssions"])
        sys.exit("a wrong field was taken")
    except FacebookRequestError as error:
        check("a wrong field", [error.api_error_code(), error.http_status()], [100, 400])


main()
