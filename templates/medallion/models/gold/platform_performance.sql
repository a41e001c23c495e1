select
    day,
    platform,
    sum(impressions) as impressions,
    sum(clicks) as clicks,
    sum(spend) as spend,
    sum(revenue) as revenue,
    {{ ratio('sum(clicks)', 'sum(impressions)') }} as ctr,
    {{ ratio('sum(spend)', 'sum(clicks)', 2) }} as cpc,
    {{ ratio('sum(revenue)', 'sum(spend)', 2) }} as roas
from {{ ref('campaign_performance') }}
group by 1, 2
