{{ config(enabled='x_ads' in var('platforms')) }}
-- Statistics come a row for each placement.
with stats as (
    select
        date,
        account_id,
        account_currency,
        entity_id,
        cast(sum(billed_charge) as decimal(18, 6)) as spend,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        cast({{ sum_columns(var('x_conversion_columns')) }} as decimal(18, 6)) as conversions,
        cast({{ sum_columns(var('x_conversion_value_columns')) }} / 1000000.0 as decimal(18, 6)) as conversion_value
    from {{ source('x_ads', 'promoted_tweet_stats') }}
    group by date, account_id, account_currency, entity_id
)

select
    stats.date,
    'x_ads' as platform,
    stats.account_id,
    cast(null as varchar) as account_name,
    campaigns.id as campaign_id,
    campaigns.name as campaign_name,
    line_items.id as ad_group_id,
    line_items.name as ad_group_name,
    stats.entity_id as ad_id,
    promoted_tweets.tweet_id as ad_name,
    cast(null as varchar) as keyword,
    stats.account_currency as currency,
    stats.spend,
    stats.impressions,
    stats.clicks,
    stats.conversions,
    stats.conversion_value
from stats
left join {{ source('x_ads', 'promoted_tweets') }} as promoted_tweets on promoted_tweets.id = stats.entity_id
left join {{ source('x_ads', 'line_items') }} as line_items on line_items.id = promoted_tweets.line_item_id
left join {{ source('x_ads', 'campaigns') }} as campaigns on campaigns.id = line_items.campaign_id
