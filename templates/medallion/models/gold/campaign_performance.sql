-- Each day with the campaign as it was on that day.
select
    insights.day,
    insights.platform,
    insights.campaign_key,
    campaigns.campaign_name,
    campaigns.objective,
    sum(insights.impressions) as impressions,
    sum(insights.clicks) as clicks,
    sum(insights.spend) as spend,
    sum(insights.revenue) as revenue,
    {{ ratio('sum(insights.clicks)', 'sum(insights.impressions)') }} as ctr,
    {{ ratio('sum(insights.spend)', 'sum(insights.clicks)', 2) }} as cpc,
    {{ ratio('sum(insights.revenue)', 'sum(insights.spend)', 2) }} as roas
from {{ ref('ad_insights') }} as insights
left join {{ ref('campaigns') }} as campaigns
    on campaigns.campaign_key = insights.campaign_key
    and (campaigns.valid_from is null or cast(campaigns.valid_from as date) <= insights.day)
    and (campaigns.valid_to is null or cast(campaigns.valid_to as date) > insights.day)
group by 1, 2, 3, 4, 5
