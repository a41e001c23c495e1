-- One row a day and platform, in the reporting currency.
select
    date,
    platform,
    count(distinct account_id) as accounts,
    sum(spend_converted) as spend,
    sum(impressions) as impressions,
    sum(clicks) as clicks,
    sum(conversions) as conversions,
    sum(conversion_value_converted) as conversion_value,
    {{ ad_reporting.safe_divide('sum(clicks)', 'sum(impressions)') }} as ctr,
    {{ ad_reporting.safe_divide('sum(spend_converted)', 'sum(conversions)') }} as cpa,
    {{ ad_reporting.safe_divide('sum(conversion_value_converted)', 'sum(spend_converted)') }} as roas
from {{ ref('ad_performance') }}
group by date, platform
