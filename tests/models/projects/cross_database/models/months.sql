select date_month
from (
    {{ dbt.date_spine(datepart='month', start_date="cast('2024-01-01' as date)", end_date="cast('2024-06-01' as date)") }}
) as spine
