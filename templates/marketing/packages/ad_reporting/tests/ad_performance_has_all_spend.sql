-- Nothing is lost or doubled on the way from the platforms' tables.
with raw as (
    {% set parts = [] %}
    {% if 'facebook_ads' in var('platforms') %}
        {% do parts.append("select 'facebook_ads' as platform, sum(spend) as spend from " ~ source('facebook_ads', 'ad_insights')) %}
    {% endif %}
    {% if 'google_ads' in var('platforms') %}
        {% do parts.append("select 'google_ads' as platform, sum(metrics_cost) as spend from " ~ source('google_ads', 'ad_report')) %}
    {% endif %}
    {% if 'x_ads' in var('platforms') %}
        {% do parts.append("select 'x_ads' as platform, sum(billed_charge) as spend from " ~ source('x_ads', 'promoted_tweet_stats')) %}
    {% endif %}
    {{ parts | join(' union all ') }}
),

shaped as (
    select platform, sum(spend) as spend from {{ ref('ad_performance') }} group by platform
)

select raw.platform, raw.spend, shaped.spend as shaped_spend
from raw
left join shaped on shaped.platform = raw.platform
where abs(coalesce(raw.spend, 0) - coalesce(shaped.spend, 0)) > 0.000001
