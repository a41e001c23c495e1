select day, campaign_key, count(*) as found
from {{ ref('campaign_performance') }}
group by 1, 2
having count(*) > 1
