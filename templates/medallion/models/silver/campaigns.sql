with versions as (
    select
        *,
        row_number() over (partition by campaign_key order by dbt_valid_from) as version
    from {{ ref('campaign_versions') }}
)

select
    campaign_key,
    platform,
    campaign_id,
    campaign_name,
    objective,
    status,
    daily_budget,
    version,
    case when version > 1 then dbt_valid_from end as valid_from,
    dbt_valid_to as valid_to,
    dbt_valid_to is null as is_current
from versions
