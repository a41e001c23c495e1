{#- The rows of some staging models in one shape: amounts in the account's and in the reporting currency, and the ratios,
    which are null where there is nothing to divide by. -#}
{% macro performance(models) %}
{%- set enabled = [] -%}
{%- for model in models -%}
    {%- if model.split('__')[0] | replace('stg_', '') in var('platforms') -%}{%- do enabled.append(model) -%}{%- endif -%}
{%- endfor -%}
with rows_of_all as (
    {% for model in enabled -%}
    select * from {{ ref(model) }}
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor %}
),

-- A rate holds until the currency's next one.
rates as (
    select
        currency,
        rate_to_usd,
        valid_from,
        lead(valid_from) over (partition by currency order by valid_from) as valid_until
    from {{ ref('exchange_rates') }}
),

converted as (
    select
        r.*,
        own.rate_to_usd / reporting.rate_to_usd as rate
    from rows_of_all as r
    left join rates as own
        on own.currency = r.currency and r.date >= own.valid_from
        and (own.valid_until is null or r.date < own.valid_until)
    left join rates as reporting
        on reporting.currency = '{{ var("reporting_currency") }}' and r.date >= reporting.valid_from
        and (reporting.valid_until is null or r.date < reporting.valid_until)
)

select
    date,
    platform,
    account_id,
    account_name,
    campaign_id,
    campaign_name,
    ad_group_id,
    ad_group_name,
    ad_id,
    ad_name,
    keyword,
    currency,
    spend,
    impressions,
    clicks,
    conversions,
    conversion_value,
    '{{ var("reporting_currency") }}' as reporting_currency,
    cast(spend * rate as decimal(18, 6)) as spend_converted,
    cast(conversion_value * rate as decimal(18, 6)) as conversion_value_converted,
    {{ safe_divide('clicks', 'impressions') }} as ctr,
    {{ safe_divide('spend', 'clicks') }} as cpc,
    {{ safe_divide('spend * 1000', 'impressions') }} as cpm,
    {{ safe_divide('spend', 'conversions') }} as cpa,
    {{ safe_divide('conversion_value', 'spend') }} as roas
from converted
{% endmacro %}
