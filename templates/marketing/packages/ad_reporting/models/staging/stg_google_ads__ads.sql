{{ config(enabled='google_ads' in var('platforms')) }}
-- The report has a row for each device and network.
select
    segments_date as date,
    'google_ads' as platform,
    customer_id as account_id,
    cast(null as varchar) as account_name,
    campaign_id,
    max(campaign_name) as campaign_name,
    ad_group_id,
    max(ad_group_name) as ad_group_name,
    ad_group_ad_ad_id as ad_id,
    max(ad_group_ad_ad_name) as ad_name,
    cast(null as varchar) as keyword,
    customer_currency_code as currency,
    cast(sum(metrics_cost) as decimal(18, 6)) as spend,
    sum(metrics_impressions) as impressions,
    sum(metrics_clicks) as clicks,
    cast(sum(metrics_conversions) as decimal(18, 6)) as conversions,
    cast(sum(metrics_conversions_value) as decimal(18, 6)) as conversion_value
from {{ source('google_ads', 'ad_report') }}
group by segments_date, customer_id, campaign_id, ad_group_id, ad_group_ad_ad_id, customer_currency_code
