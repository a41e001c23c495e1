{{ config(enabled='facebook_ads' in var('platforms')) }}
select
    date_start as date,
    'facebook_ads' as platform,
    account_id,
    account_name,
    campaign_id,
    campaign_name,
    adset_id as ad_group_id,
    adset_name as ad_group_name,
    ad_id,
    ad_name,
    cast(null as varchar) as keyword,
    account_currency as currency,
    cast(coalesce(spend, 0) as decimal(18, 6)) as spend,
    coalesce(impressions, 0) as impressions,
    coalesce(clicks, 0) as clicks,
    {{ sum_actions('actions', var('facebook_conversion_actions')) }} as conversions,
    {{ sum_actions('action_values', var('facebook_conversion_actions')) }} as conversion_value
from {{ source('facebook_ads', 'ad_insights') }}
