-- Nothing is lost or doubled between silver and gold.
select silver.spend as in_silver, gold.spend as in_gold
from (select sum(spend) as spend from {{ ref('ad_insights') }}) as silver
cross join (select sum(spend) as spend from {{ ref('campaign_performance') }}) as gold
where silver.spend <> gold.spend
