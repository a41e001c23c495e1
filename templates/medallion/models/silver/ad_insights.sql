with facebook as (
    select
        cast(date_start as date) as day,
        'facebook' as platform,
        cast(campaign_id as varchar) as campaign_id,
        cast(impressions as bigint) as impressions,
        cast(clicks as bigint) as clicks,
        cast(spend as decimal(12, 2)) as spend,
        cast(purchase_value as decimal(12, 2)) as revenue
    from {{ source('bronze', 'facebook_insights') }}
),

google as (
    select
        cast(segments_date as date) as day,
        'google' as platform,
        cast(campaign_id as varchar) as campaign_id,
        cast(impressions as bigint) as impressions,
        cast(clicks as bigint) as clicks,
        cast(cost_micros / 1000000.0 as decimal(12, 2)) as spend,
        cast(conversions_value as decimal(12, 2)) as revenue
    from {{ source('bronze', 'google_insights') }}
),

x as (
    select
        cast(day as date) as day,
        'x' as platform,
        cast(campaign_id as varchar) as campaign_id,
        cast(impressions as bigint) as impressions,
        cast(url_clicks as bigint) as clicks,
        cast(billed_charge_local_micro / 1000000.0 as decimal(12, 2)) as spend,
        cast(sale_amount_local_micro / 1000000.0 as decimal(12, 2)) as revenue
    from {{ source('bronze', 'x_insights') }}
),

together as (
    select * from facebook
    union all
    select * from google
    union all
    select * from x
)

select platform || '-' || campaign_id as campaign_key, * from together
