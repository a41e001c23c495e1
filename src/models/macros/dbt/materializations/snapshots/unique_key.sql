{# The unique key, one column or several, under names of our own: dbt_unique_key, or dbt_unique_key_1 and so on. #}

{% macro unique_key_fields(unique_key) %}
    {% if unique_key | is_list %}
        {% for part in unique_key %}
            {{ part }} as dbt_unique_key_{{ loop.index }}{{ ' ,' if not loop.last }}
        {% endfor %}
    {% else %}
        {{ unique_key }} as dbt_unique_key
    {% endif %}
{% endmacro %}

{% macro unique_key_join_on(unique_key, identifier, from_identifier) %}
    {% if unique_key | is_list %}
        {% for part in unique_key %}
            {% set name = '.dbt_unique_key_' ~ loop.index %}
            {{ equals(identifier ~ name, from_identifier ~ name) }}{{ ' and' if not loop.last }}
        {% endfor %}
    {% else %}
        {{ identifier }}.dbt_unique_key = {{ from_identifier }}.dbt_unique_key
    {% endif %}
{% endmacro %}

{% macro unique_key_is_null(unique_key, identifier) %}
    {{ identifier }}.{{ 'dbt_unique_key_1' if unique_key | is_list else 'dbt_unique_key' }} is null
{% endmacro %}

{% macro unique_key_is_not_null(unique_key, identifier) %}
    {{ identifier }}.{{ 'dbt_unique_key_1' if unique_key | is_list else 'dbt_unique_key' }} is not null
{% endmacro %}
