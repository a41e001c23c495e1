{% snapshot campaign_versions %}
{{ config(unique_key='campaign_key', strategy='timestamp', updated_at='updated_at') }}
select
    platform || '-' || campaign_id as campaign_key,
    platform,
    cast(campaign_id as varchar) as campaign_id,
    campaign_name,
    objective,
    status,
    cast(daily_budget as decimal(12, 2)) as daily_budget,
    cast(updated_at as timestamp) as updated_at
from {{ source('bronze', 'campaigns') }}
{% endsnapshot %}
